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
    # in the addend's place; where x is narrow, adding afterwards is as fast
    if torch.eq(ops.prim.dtype(x), 6):
      y = torch.addmm_(addend, x, torch.t(w[name + ".weight"]))
      if torch.__contains__(w, name + ".bias"):
        y = torch.add_(y, w[name + ".bias"])
      else:
        y = y
    else:
      y = torch.add_((self).linear(x, w, name), addend)
    return y
  def linear_times(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str, factor: Tensor) -> Tensor:
    return torch.mul_((self).linear(x, w, name), factor)
