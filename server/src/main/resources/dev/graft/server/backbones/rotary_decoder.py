  def rms_norm(self: __torch__.Program, x: Tensor, weight: Tensor) -> Tensor:
    h = torch.to(x, 6)
    # the mean square by the norm: one pass, where squares and their mean are two
    mean_square = torch.div(torch.square(torch.linalg_vector_norm(h, 2, [-1], True)), torch.size(h, -1))
    h = torch.mul(h, torch.rsqrt(torch.add(mean_square, $norm_epsilon)))
    return torch.mul_(torch.to(h, ops.prim.dtype(x)), weight)
  def heads(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], norm: str) -> Tensor:
    # (N, H * d) -> (N, H, d), normalized where the family does so
    x = torch.reshape(x, [torch.size(x, 0), -1, $head_size])
    if torch.__contains__(w, norm):
      x = (self).rms_norm(x, w[norm])
    else:
      x = x
    return x
  def rotate(self: __torch__.Program, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    # x (N, H, d); cos (N, 1, d); sin (N, 1, d / 2)
    y = torch.mul(x, cos)
    first = torch.slice(x, -1, 0, $half_head_size)
    second = torch.slice(x, -1, $half_head_size)
    _0 = torch.addcmul_(torch.slice(y, -1, 0, $half_head_size), second, sin, value=-1)
    _1 = torch.addcmul_(torch.slice(y, -1, $half_head_size), first, sin)
    return y
  def block(self: __torch__.Program, x: Tensor, w: $block_weights, state: List[Tensor], lengths: List[int], rows: List[Tensor], window: int) -> Tensor:
    t = (self).tensors(w)
    h = (self).rms_norm(x, t["input_layernorm.weight"])
    q = (self).rotate((self).heads((self).linear(h, w, "self_attn.q_proj"), t, "self_attn.q_norm.weight"), state[1], state[2])
    k = (self).rotate((self).heads((self).linear(h, w, "self_attn.k_proj"), t, "self_attn.k_norm.weight"), state[1], state[2])
    v = (self).heads((self).linear(h, w, "self_attn.v_proj"), t, "")
    y = (self).attention(q, k, v, lengths, torch.slice(state, 3), True, window, $attention_scale)
    x = (self).linear_plus((self).chosen(y, rows), w, "self_attn.o_proj", (self).chosen(x, rows))
    h = (self).rms_norm(x, t["post_attention_layernorm.weight"])
    h = (self).linear_times(h, w, "mlp.up_proj", (self).linear_activated(h, w, "mlp.gate_proj"))
    return (self).linear_plus(h, w, "mlp.down_proj", x)
  def embed(self: __torch__.Program, ids: Tensor, words: List[Tensor], types: Tensor, lengths: List[int], w: Dict[str, Tensor]) -> List[Tensor]:
    # ids (N,) of all sequences -> hidden states, cos, sin, and the layout for attention
    x = torch.to((self).words(ids, words, w, "embed_tokens.weight"), ops.prim.dtype(w["norm.weight"]))
    positions, own_lengths = (self).places(lengths, ids)
    angles = torch.mul(torch.unsqueeze(torch.to(positions, 6), 1), (self).inverse_frequencies(own_lengths))
    angles = torch.unsqueeze(angles, 1)
    cos = torch.to(torch.mul(torch.cos(angles), $attention_factor), ops.prim.dtype(x))
    sin = torch.to(torch.mul(torch.sin(angles), $attention_factor), ops.prim.dtype(x))
    return torch.add([x, torch.cat([cos, cos], -1), sin], (self).layout(lengths, x))
  def step(self: __torch__.Program, x: Tensor, state: List[Tensor], lengths: List[int], rows: List[Tensor], w: $block_weights, i: int) -> Tensor:
    # block i, with what embed returned; of the result these rows
    slides = annotate(List[bool], $slides)
    if slides[i]:
      window = $window
    else:
      window = ops.prim.max(lengths)
    return (self).block(x, w, state, lengths, rows, window)
  def finish(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
    return (self).rms_norm(x, w["norm.weight"])
