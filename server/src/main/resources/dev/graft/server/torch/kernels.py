  def mkl(self: __torch__.Program, x: Tensor, w: Tensor, repeats: int) -> Tensor:
    y = torch.linear(x, w, annotate(Optional[Tensor], None))
    for i in range(repeats - 1):
      y = torch.linear(x, w, annotate(Optional[Tensor], None))
    return torch.to(torch.sum(y), 6)
  def fbgemm(self: __torch__.Program, x: Tensor, w: Tensor, repeats: int) -> Tensor:
    scales = torch.to(torch.div(torch.amax(torch.abs(w), [1]), 127.5), 7)
    packed = ops.quantized.linear_prepack(torch.quantize_per_channel(w, scales, torch.zeros_like(scales, dtype=4), 0, 12), None)
    y = ops.quantized.linear_dynamic(x, packed, True)
    for i in range(repeats - 1):
      y = ops.quantized.linear_dynamic(x, packed, True)
    return torch.to(torch.sum(y), 6)
  def onednn(self: __torch__.Program, x: Tensor, w: Tensor, repeats: int) -> Tensor:
    y = ops.mkldnn._linear_pointwise(x, w, annotate(Optional[Tensor], None), "none", annotate(List[Optional[number]], []), "none")
    for i in range(repeats - 1):
      y = ops.mkldnn._linear_pointwise(x, w, annotate(Optional[Tensor], None), "none", annotate(List[Optional[number]], []), "none")
    return torch.to(torch.sum(y), 6)
  def onednn_packed(self: __torch__.Program, x: Tensor, w: Tensor, repeats: int) -> Tensor:
    return (self).onednn(x, ops.mkldnn._reorder_linear_weight(w), repeats)
