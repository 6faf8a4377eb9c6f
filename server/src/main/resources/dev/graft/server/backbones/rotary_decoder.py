  def rms_norm(self: __torch__.Program, x: Tensor, weight: Tensor) -> Tensor:
    h = torch.to(x, 6)
    h = torch.mul(h, torch.rsqrt(torch.add(torch.mean(torch.square(h), [-1], True), $norm_epsilon)))
    return torch.mul(weight, torch.to(h, ops.prim.dtype(x)))
  def heads(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], norm: str) -> Tensor:
    # (B, T, H * d) -> (B, T, H, d), normalized where the family does so
    x = torch.reshape(x, [torch.size(x, 0), torch.size(x, 1), -1, $head_size])
    if torch.__contains__(w, norm):
      x = (self).rms_norm(x, w[norm])
    else:
      x = x
    return x
  def rotate(self: __torch__.Program, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    # x (B, T, H, d); cos, sin (B or 1, T, 1, d)
    first = torch.slice(x, -1, 0, $half_head_size)
    second = torch.slice(x, -1, $half_head_size)
    return torch.add(torch.mul(x, cos), torch.mul(torch.cat([torch.neg(second), first], -1), sin))
  def block(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], cos: Tensor, sin: Tensor, mask: Optional[Tensor]) -> Tensor:
    h = (self).rms_norm(x, w["input_layernorm.weight"])
    q = (self).heads((self).linear(h, w, "self_attn.q_proj"), w, "self_attn.q_norm.weight")
    k = (self).heads((self).linear(h, w, "self_attn.k_proj"), w, "self_attn.k_norm.weight")
    v = (self).heads((self).linear(h, w, "self_attn.v_proj"), w, "")
    y = (self).attention((self).rotate(q, cos, sin), (self).rotate(k, cos, sin), v, mask, torch.__is__(mask, None), $attention_scale)
    x = (self).linear_plus(y, w, "self_attn.o_proj", x)
    h = (self).rms_norm(x, w["post_attention_layernorm.weight"])
    h = (self).linear_times(h, w, "mlp.up_proj", (self).linear_activated(h, w, "mlp.gate_proj"))
    return (self).linear_plus(h, w, "mlp.down_proj", x)
  def window_mask(self: __torch__.Program, tokens: int, like: Tensor) -> Tensor:
    # (1, 1, T, T): 0 where a token sees another, its own and $window - 1 before it, -inf elsewhere
    i = torch.arange(tokens, dtype=4, layout=None, device=ops.prim.device(like), pin_memory=None)
    distance = torch.sub(torch.unsqueeze(i, 1), torch.unsqueeze(i, 0))
    hidden = torch.logical_or(torch.lt(distance, 0), torch.ge(distance, $window))
    mask = torch.masked_fill(torch.zeros([tokens, tokens], dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None), hidden, -inf)
    return torch.reshape(mask, [1, 1, tokens, tokens])
  def embed(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: Tensor, ragged: bool, w: Dict[str, Tensor]) -> List[Tensor]:
    # ids (B, T) padded on the right: a real token never sees padding, so no mask is needed for it
    # -> hidden states, cos, sin, and the mask of the sliding window where one is needed
    tokens = torch.size(ids, 1)
    x = torch.to(torch.embedding(w["embed_tokens.weight"], ids), ops.prim.dtype(w["norm.weight"]))
    positions = torch.arange(tokens, dtype=6, layout=None, device=ops.prim.device(ids), pin_memory=None)
    angles = torch.mul(torch.reshape(positions, [1, tokens, 1]), torch.unsqueeze((self).inverse_frequencies(lengths), 1))
    angles = torch.unsqueeze(torch.cat([angles, angles], -1), 2)
    cos = torch.to(torch.mul(torch.cos(angles), $attention_factor), ops.prim.dtype(x))
    sin = torch.to(torch.mul(torch.sin(angles), $attention_factor), ops.prim.dtype(x))
    if torch.gt(tokens, $window):
      state = [x, cos, sin, (self).window_mask(tokens, x)]
    else:
      state = [x, cos, sin]
    return state
  def step(self: __torch__.Program, x: Tensor, state: List[Tensor], w: Dict[str, Tensor], i: int) -> Tensor:
    # block i, with what embed returned
    slides = annotate(List[bool], $slides)
    mask = annotate(Optional[Tensor], None)
    if torch.__and__(slides[i], torch.gt(torch.len(state), 3)):
      mask = state[3]
    else:
      mask = mask
    return (self).block(x, w, state[1], state[2], mask)
  def finish(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
    return (self).rms_norm(x, w["norm.weight"])
