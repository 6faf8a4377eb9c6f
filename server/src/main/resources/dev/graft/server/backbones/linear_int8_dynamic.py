  def pack(self: __torch__.Program, w: Dict[str, Tensor], linear: List[str], others: List[str]) -> Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]]:
    # The weights in 8 bits, symmetric, a scale for each output (torch.ao.quantization's PerChannelMinMaxObserver,
    # torch.per_channel_symmetric), in fbgemm's order with the biases. What is not named is left out.
    packed = annotate(Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase], {})
    for i in range(torch.len(linear)):
      x = torch.to(w[linear[i] + ".weight"], 6)
      bias = annotate(Optional[Tensor], None)
      if torch.__contains__(w, linear[i] + ".bias"):
        bias = w[linear[i] + ".bias"]
      else:
        bias = bias
      scales = torch.clamp_min(torch.div(torch.amax(torch.abs(x), [1]), 127.5), 1.1920928955078125e-07)
      q = torch.quantize_per_channel(x, torch.to(scales, 7), torch.zeros_like(scales, dtype=4), 0, 12)
      _0 = torch._set_item(packed, linear[i], ops.quantized.linear_prepack(q, bias))
    rest = annotate(Dict[str, Tensor], {})
    for i in range(torch.len(others)):
      _1 = torch._set_item(rest, others[i], w[others[i]])
    return (rest, packed)
  def tensors(self: __torch__.Program, w: Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]]) -> Dict[str, Tensor]:
    # what a block has besides its linear layers
    return w[0]
  def linear(self: __torch__.Program, x: Tensor, w: Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]], name: str) -> Tensor:
    # x in 8 bits too, with one scale and zero point for the whole batch, found anew each time; within 7 bits
    # (reduce_range), since CPUs without VNNI add pairs of products in 16 bits
    return ops.quantized.linear_dynamic(x, w[1][name], True)
  def linear_activated(self: __torch__.Program, x: Tensor, w: Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]], name: str) -> Tensor:
    x = (self).linear(x, w, name)
    return $activation
  def linear_plus(self: __torch__.Program, x: Tensor, w: Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]], name: str, addend: Tensor) -> Tensor:
    return torch.add_((self).linear(x, w, name), addend)
  def linear_times(self: __torch__.Program, x: Tensor, w: Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]], name: str, factor: Tensor) -> Tensor:
    return torch.mul_((self).linear(x, w, name), factor)
