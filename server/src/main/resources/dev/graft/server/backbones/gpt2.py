  def layer_norm(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    return torch.layer_norm(x, [$hidden_size], w[name + ".weight"], w[name + ".bias"], $norm_epsilon)
  def block(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], scale: float) -> Tensor:
    h = (self).linear((self).layer_norm(x, w, "ln_1"), w, "attn.c_attn")
    # (B, T, 3 * D) -> (B, T, 3, H, d)
    h = torch.reshape(h, [torch.size(h, 0), torch.size(h, 1), 3, $heads, $head_size])
    y = (self).attention(torch.select(h, 2, 0), torch.select(h, 2, 1), torch.select(h, 2, 2), None, True, scale)
    x = (self).linear_plus(y, w, "attn.c_proj", x)
    h = (self).linear_activated((self).layer_norm(x, w, "ln_2"), w, "mlp.c_fc")
    return (self).linear_plus(h, w, "mlp.c_proj", x)
  def embed(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: Tensor, ragged: bool, w: Dict[str, Tensor]) -> List[Tensor]:
    # ids (B, T) padded on the right: a real token never sees padding, so no mask is needed for it
    positions = torch.arange(torch.size(ids, 1), dtype=4, layout=None, device=ops.prim.device(ids), pin_memory=None)
    dtype = ops.prim.dtype(w["ln_f.weight"])
    return [torch.add(torch.to(torch.embedding(w["wte.weight"], ids), dtype), torch.to(torch.embedding(w["wpe.weight"], positions), dtype))]
  def step(self: __torch__.Program, x: Tensor, state: List[Tensor], w: Dict[str, Tensor], i: int) -> Tensor:
    scales = annotate(List[float], $attention_scales)
    return (self).block(x, w, scales[i])
  def finish(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
    return (self).layer_norm(x, w, "ln_f")
