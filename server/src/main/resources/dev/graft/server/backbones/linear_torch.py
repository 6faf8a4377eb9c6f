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
    return torch.linear(x, w[name + ".weight"], (self).bias(w, name))
  def linear_activated(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    x = (self).linear(x, w, name)
    return $activation
  def linear_plus(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str, addend: Tensor) -> Tensor:
    return torch.add_((self).linear(x, w, name), addend)
  def linear_times(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str, factor: Tensor) -> Tensor:
    return torch.mul_((self).linear(x, w, name), factor)
