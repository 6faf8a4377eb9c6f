  def packed(self: __torch__.Program, weight: Tensor) -> Tensor:
    # in the order in which products want it: a plain one is put into it for each product
    return ops.mkldnn._reorder_linear_weight(weight)
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
