  def hidden_states(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: Tensor, ragged: bool, w: Dict[str, Tensor], blocks: List[Dict[str, Tensor]], depth: int) -> Tensor:
    # the whole model in one call: the same operations as one call for each block
    state = (self).embed(ids, types, lengths, ragged, w)
    x = state[0]
    for i in range(depth):
      x = (self).step(x, state, blocks[i], i)
    if torch.eq(depth, torch.len(blocks)):
      x = (self).finish(x, w)
    else:
      x = x
    return x
