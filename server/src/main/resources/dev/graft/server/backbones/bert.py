  def layer_norm(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    return torch.layer_norm(x, [$hidden_size], w[name + ".weight"], w[name + ".bias"], $norm_epsilon)
  def positions(self: __torch__.Program, ids: Tensor, lengths: List[int]) -> Tensor:
    positions, _0 = (self).places(lengths, ids)
    if $positions_after_padding:
      # RoBERTa: counted from padding_index + 1 over tokens that are not padding; padding is at padding_index
      real = torch.to(torch.ne(ids, $padding_index), 4)
      count = torch.cumsum(real, 0)
      tokens = torch.arange(torch.size(ids, 0), dtype=4, layout=None, device=ops.prim.device(ids), pin_memory=None)
      before = torch.index_select(torch.sub(count, real), 0, torch.sub(tokens, positions))
      positions = torch.add(torch.mul(torch.sub(count, before), real), $padding_index)
    else:
      positions = positions
    return positions
  def heads(self: __torch__.Program, x: Tensor) -> Tensor:
    # (N, H * d) -> (N, H, d)
    return torch.reshape(x, [torch.size(x, 0), $heads, $head_size])
  def block(self: __torch__.Program, x: Tensor, w: $block_weights, state: List[Tensor], lengths: List[int], rows: List[Tensor]) -> Tensor:
    t = (self).tensors(w)
    q = (self).heads((self).linear(x, w, "attention.self.query"))
    k = (self).heads((self).linear(x, w, "attention.self.key"))
    v = (self).heads((self).linear(x, w, "attention.self.value"))
    y = (self).attention(q, k, v, lengths, torch.slice(state, 1), False, 0, $attention_scale)
    x = (self).layer_norm((self).linear_plus((self).chosen(y, rows), w, "attention.output.dense", (self).chosen(x, rows)), t, "attention.output.LayerNorm")
    h = (self).linear_activated(x, w, "intermediate.dense")
    return (self).layer_norm((self).linear_plus(h, w, "output.dense", x), t, "output.LayerNorm")
  def table(self: __torch__.Program, w: Dict[str, Tensor], name: str, index: Tensor) -> Tensor:
    return torch.to(torch.embedding(w[name + ".weight"], index), ops.prim.dtype(w["embeddings.LayerNorm.weight"]))
  def embed(self: __torch__.Program, ids: Tensor, words: List[Tensor], types: Tensor, lengths: List[int], w: Dict[str, Tensor]) -> List[Tensor]:
    # ids (N,) of all sequences -> hidden states, and the layout for attention
    x = torch.to((self).words(ids, words, w, "embeddings.word_embeddings.weight"), ops.prim.dtype(w["embeddings.LayerNorm.weight"]))
    x = torch.add(x, (self).table(w, "embeddings.token_type_embeddings", types))
    x = torch.add(x, (self).table(w, "embeddings.position_embeddings", (self).positions(ids, lengths)))
    x = (self).layer_norm(x, w, "embeddings.LayerNorm")
    return torch.add([x], (self).layout(lengths, x))
  def step(self: __torch__.Program, x: Tensor, state: List[Tensor], lengths: List[int], rows: List[Tensor], w: $block_weights, i: int) -> Tensor:
    # block i, with what embed returned; of the result these rows
    return (self).block(x, w, state, lengths, rows)
  def finish(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
    return x
