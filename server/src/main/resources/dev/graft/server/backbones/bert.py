  def layer_norm(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
    return torch.layer_norm(x, [$hidden_size], w[name + ".weight"], w[name + ".bias"], $norm_epsilon)
  def positions(self: __torch__.Program, ids: Tensor) -> Tensor:
    if $positions_after_padding:
      # RoBERTa: counted from padding_index + 1 over tokens that are not padding; padding is at padding_index
      real = torch.to(torch.ne(ids, $padding_index), 4)
      positions = torch.add(torch.mul(torch.cumsum(real, 1), real), $padding_index)
    else:
      positions = torch.arange(torch.size(ids, 1), dtype=4, layout=None, device=ops.prim.device(ids), pin_memory=None)
    return positions
  def heads(self: __torch__.Program, x: Tensor) -> Tensor:
    # (B, T, H * d) -> (B, T, H, d)
    return torch.reshape(x, [torch.size(x, 0), torch.size(x, 1), $heads, $head_size])
  def block(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], mask: Optional[Tensor]) -> Tensor:
    q = (self).heads((self).linear(x, w, "attention.self.query"))
    k = (self).heads((self).linear(x, w, "attention.self.key"))
    v = (self).heads((self).linear(x, w, "attention.self.value"))
    y = (self).attention(q, k, v, mask, False, $attention_scale)
    x = (self).layer_norm((self).linear_plus(y, w, "attention.output.dense", x), w, "attention.output.LayerNorm")
    h = (self).linear_activated(x, w, "intermediate.dense")
    return (self).layer_norm((self).linear_plus(h, w, "output.dense", x), w, "output.LayerNorm")
  def padding_mask(self: __torch__.Program, lengths: Tensor, like: Tensor) -> Tensor:
    # (B, 1, 1, T): 0 at real tokens, -inf at padding
    tokens = torch.size(like, 1)
    i = torch.arange(tokens, dtype=4, layout=None, device=ops.prim.device(like), pin_memory=None)
    padding = torch.ge(torch.unsqueeze(i, 0), torch.unsqueeze(lengths, 1))
    zeros = torch.zeros([torch.size(like, 0), tokens], dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None)
    return torch.reshape(torch.masked_fill(zeros, padding, -inf), [-1, 1, 1, tokens])
  def table(self: __torch__.Program, w: Dict[str, Tensor], name: str, index: Tensor) -> Tensor:
    return torch.to(torch.embedding(w[name + ".weight"], index), ops.prim.dtype(w["embeddings.LayerNorm.weight"]))
  def embed(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: Tensor, ragged: bool, w: Dict[str, Tensor]) -> List[Tensor]:
    # ids (B, T) padded on the right -> hidden states, and the mask of padding where there is any
    x = torch.add((self).table(w, "embeddings.word_embeddings", ids), (self).table(w, "embeddings.token_type_embeddings", types))
    x = torch.add(x, (self).table(w, "embeddings.position_embeddings", (self).positions(ids)))
    x = (self).layer_norm(x, w, "embeddings.LayerNorm")
    if ragged:
      state = [x, (self).padding_mask(lengths, x)]
    else:
      state = [x]
    return state
  def step(self: __torch__.Program, x: Tensor, state: List[Tensor], w: Dict[str, Tensor], i: int) -> Tensor:
    # block i, with what embed returned
    mask = annotate(Optional[Tensor], None)
    if torch.gt(torch.len(state), 1):
      mask = state[1]
    else:
      mask = mask
    return (self).block(x, w, mask)
  def finish(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
    return x
