  def layer_norm(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    return torch.layer_norm(x, [$hidden_size], w[name + ".weight"], w[name + ".bias"], $norm_epsilon)
  def block(self: __torch__.Program, x: Tensor, w: $block_weights, state: List[Tensor], lengths: List[int], rows: List[Tensor], scale: float) -> Tensor:
    t = (self).tensors(w)
    h = (self).linear((self).layer_norm(x, t, "ln_1"), w, "attn.c_attn")
    # (N, 3 * D) -> (N, 3, H, d)
    h = torch.reshape(h, [torch.size(h, 0), 3, $heads, $head_size])
    y = (self).attention(torch.select(h, 1, 0), torch.select(h, 1, 1), torch.select(h, 1, 2), lengths, torch.slice(state, 1), True, ops.prim.max(lengths), scale)
    x = (self).linear_plus((self).chosen(y, rows), w, "attn.c_proj", (self).chosen(x, rows))
    h = (self).linear_activated((self).layer_norm(x, t, "ln_2"), w, "mlp.c_fc")
    return (self).linear_plus(h, w, "mlp.c_proj", x)
  def embed(self: __torch__.Program, ids: Tensor, words: List[Tensor], types: Tensor, lengths: List[int], w: Dict[str, Tensor]) -> List[Tensor]:
    # ids (N,) of all sequences -> hidden states, and the layout for attention
    positions, _0 = (self).places(lengths, ids)
    dtype = ops.prim.dtype(w["ln_f.weight"])
    x = torch.add(torch.to((self).words(ids, words, w, "wte.weight"), dtype), torch.to(torch.embedding(w["wpe.weight"], positions), dtype))
    return torch.add([x], (self).layout(lengths, x))
  def step(self: __torch__.Program, x: Tensor, state: List[Tensor], lengths: List[int], rows: List[Tensor], w: $block_weights, i: int) -> Tensor:
    # block i, with what embed returned; of the result these rows
    scales = annotate(List[float], $attention_scales)
    return (self).block(x, w, state, lengths, rows, scales[i])
  def finish(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
    return (self).layer_norm(x, w, "ln_f")
