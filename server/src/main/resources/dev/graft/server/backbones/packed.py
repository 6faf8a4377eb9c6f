  def places(self: __torch__.Program, lengths: List[int], like: Tensor) -> Tuple[Tensor, Tensor]:
    # of each token, (N,): its position in its sequence, and its sequence's length; 0 and 1 for those of no sequence
    each = torch.tensor(lengths, dtype=4, device=ops.prim.device(like), requires_grad=False)
    own = torch.repeat_interleave(each, each)
    ends = torch.repeat_interleave(torch.cumsum(each, 0), each)
    tokens = torch.arange(torch.size(own, 0), dtype=4, layout=None, device=ops.prim.device(like), pin_memory=None)
    filler = [0, torch.sub(torch.size(like, 0), torch.size(own, 0))]
    return (torch.constant_pad_nd(torch.add(torch.sub(tokens, ends), own), filler, 0), torch.constant_pad_nd(own, filler, 1))
  def of_sequences(self: __torch__.Program, x: Tensor, lengths: List[int]) -> Tensor:
    # (N, D) without the tokens of no sequence, or fewer rows as they are
    return torch.slice(x, 0, 0, torch.sum(lengths))
  def words(self: __torch__.Program, ids: Tensor, rows: List[Tensor], w: Dict[str, Tensor], name: str) -> Tensor:
    # the rows (N, D) of a table by ids, unless they have been read from its file
    if torch.gt(torch.len(rows), 0):
      x = rows[0]
    else:
      x = torch.embedding(w[name], ids)
    return x
  def chosen(self: __torch__.Program, x: Tensor, rows: List[Tensor]) -> Tensor:
    # the rows with these numbers; all where there are none
    if torch.gt(torch.len(rows), 0):
      x = torch.index_select(x, 0, rows[0])
    else:
      x = x
    return x
