  def pack(self: __torch__.Program, w: Dict[str, Tensor], linear: List[str], others: List[str]) -> Dict[str, Tensor]:
    # the weights of linear layers in the order in which products want them: plain ones are put into it for each product
    packed = annotate(Dict[str, Tensor], {})
    for i in range(torch.len(linear)):
      _0 = torch._set_item(packed, linear[i] + ".weight", ops.mkldnn._reorder_linear_weight(w[linear[i] + ".weight"]))
    for i in range(torch.len(others)):
      _1 = torch._set_item(packed, others[i], w[others[i]])
    return packed
  def tensors(self: __torch__.Program, w: Dict[str, Tensor]) -> Dict[str, Tensor]:
    # what a block has besides the weights of its linear layers, and here those too
    return w
  def bias(self: __torch__.Program, w: Dict[str, Tensor], name: str) -> Optional[Tensor]:
    bias = annotate(Optional[Tensor], None)
    if torch.__contains__(w, name + ".bias"):
      bias = w[name + ".bias"]
    else:
      bias = bias
    return bias
  def linear(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    return ops.mkldnn._linear_pointwise(x, w[name + ".weight"], (self).bias(w, name), "none", annotate(List[Optional[number]], []), "none")
  def linear_activated(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    x = ops.mkldnn._linear_pointwise(x, w[name + ".weight"], (self).bias(w, name), "$fused_attribute", annotate(List[Optional[number]], []), "$fused_algorithm")
    return $activation_after_fused
  def linear_plus(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str, addend: Tensor) -> Tensor:
    return ops.mkldnn._linear_pointwise(x, addend, w[name + ".weight"], (self).bias(w, name), "add")
  def linear_times(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str, factor: Tensor) -> Tensor:
    return ops.mkldnn._linear_pointwise(x, factor, w[name + ".weight"], (self).bias(w, name), "mul")
