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
  def hidden_states(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: Tensor, ragged: bool, w: Dict[str, Tensor], blocks: List[Dict[str, Tensor]], depth: int) -> Tensor:
    # ids (B, T) padded on the right: a real token never sees padding, so no mask is needed for it
    positions = torch.arange(torch.size(ids, 1), dtype=4, layout=None, device=ops.prim.device(ids), pin_memory=None)
    x = torch.add(torch.embedding(w["wte.weight"], ids), torch.embedding(w["wpe.weight"], positions))
    scales = annotate(List[float], $attention_scales)
    for i in range(depth):
      x = (self).block(x, blocks[i], scales[i])
    if torch.eq(depth, torch.len(blocks)):
      x = (self).layer_norm(x, w, "ln_f")
    else:
      x = x
    return x
