  def hidden_states(self: __torch__.Program, ids: Tensor, types: Tensor, lengths: List[int], rows: List[Tensor], w: Dict[str, Tensor], blocks: List[$block_weights], depth: int) -> Tensor:
    # the whole model in one call: the same operations as one call for each block
    state = (self).embed(ids, annotate(List[Tensor], []), types, lengths, w)
    x = state[0]
    for i in range(torch.sub(depth, 1)):
      x = (self).step(x, state, lengths, annotate(List[Tensor], []), blocks[i], i)
    if torch.gt(depth, 0):
      x = (self).step(x, state, lengths, rows, blocks[torch.sub(depth, 1)], torch.sub(depth, 1))
    else:
      x = (self).chosen(x, rows)
    if torch.eq(depth, torch.len(blocks)):
      x = (self).finish(x, w)
    else:
      x = x
    return (self).of_sequences(x, lengths)
