  def update(self: __torch__.Program, p: List[Tensor], gradients: List[Tensor], state: List[List[Tensor]], learning_rate: float, step: int, from_: int, to: int, weight_decay: float) -> int:
    parameters = torch.slice(p, from_, to, 1)
    at = torch.full([], step, dtype=6, layout=None, device=torch.device("$device"))
    steps = torch.mul(annotate(List[Tensor], [at]), torch.len(parameters))
    means = torch.slice(state[0], from_, to, 1)
    squares = torch.slice(state[1], from_, to, 1)
    torch._fused_adamw_(parameters, torch.slice(gradients, from_, to, 1), means, squares, annotate(List[Tensor], []), steps, lr=learning_rate, beta1=$beta1, beta2=$beta2, weight_decay=weight_decay, eps=$epsilon, amsgrad=False, maximize=False)
    return step
