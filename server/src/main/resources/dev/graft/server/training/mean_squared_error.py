  def loss(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tuple[Tensor, Tensor]:
    difference = y - torch.index_select(data["labels"], 0, rows)
    return (torch.mean(difference * difference), difference * (2. / torch.numel(y)))
  def measure(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    return y
