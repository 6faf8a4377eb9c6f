  def hidden_states(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: List[int], w: Dict[str, Tensor], blocks: List[$block_weights], depth: int) -> Tensor:
    # the whole model in one call: the same operations as one call for each block
    state = (self).embed(ids, types, lengths, w)
    x = state[0]
    for i in range(depth):
      x = (self).step(x, state, lengths, blocks[i], i)
    if torch.eq(depth, torch.len(blocks)):
      x = (self).finish(x, w)
    else:
      x = x
    return x
