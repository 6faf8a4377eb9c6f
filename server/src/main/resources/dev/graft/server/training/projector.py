  def linear(self: __torch__.Program, x: Tensor, p: List[Tensor], i: int) -> Tensor:
    if $bias:
      y = torch.linear(x, p[i], p[$layers + i])
    else:
      y = torch.linear(x, p[i], annotate(Optional[Tensor], None))
    return y
  def activate(self: __torch__.Program, x: Tensor) -> Tensor:
    if "$activation" == "GELU":
      y = torch.gelu(x)
    elif "$activation" == "RELU":
      y = torch.relu(x)
    elif "$activation" == "SILU":
      y = torch.silu(x)
    else:
      y = torch.tanh(x)
    return y
  def activation_gradient(self: __torch__.Program, g: Tensor, x: Tensor) -> Tensor:
    if "$activation" == "GELU":
      y = torch.gelu_backward(g, x)
    elif "$activation" == "RELU":
      y = torch.threshold_backward(g, x, 0)
    elif "$activation" == "SILU":
      y = torch.silu_backward(g, x)
    else:
      y = torch.tanh_backward(g, torch.tanh(x))
    return y
  def normalize(self: __torch__.Program, x: Tensor, p: List[Tensor], i: int) -> Tuple[Tensor, Tensor, Tensor]:
    weight = p[$norms + i]
    y, mean, rstd, = torch.native_layer_norm(x, [torch.size(x, -1)], weight, p[$norms + $hidden + i], 1.0000000000000001e-05)
    return (y, mean, rstd)
  def project(self: __torch__.Program, x: Tensor, p: List[Tensor]) -> Tensor:
    for i in range($hidden):
      x = (self).linear(x, p, i)
      if $layer_norm:
        x, mean, rstd, = (self).normalize(x, p, i)
      else:
        x = x
      x = (self).activate(x)
    return (self).linear(x, p, $hidden)
  def project_saving(self: __torch__.Program, x: Tensor, p: List[Tensor], masks: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
    saved = annotate(List[Tensor], [])
    for i in range($hidden):
      _0 = torch.append(saved, x)
      x = (self).linear(x, p, i)
      if $layer_norm:
        y, mean, rstd, = (self).normalize(x, p, i)
        _1 = torch.append(saved, x)
        _2 = torch.append(saved, mean)
        _3 = torch.append(saved, rstd)
        x = y
      else:
        x = x
      _4 = torch.append(saved, x)
      x = (self).activate(x)
      if $dropout:
        x = x * masks[i]
      else:
        x = x
    _5 = torch.append(saved, x)
    return ((self).linear(x, p, $hidden), saved)
  def linear_gradients(self: __torch__.Program, g: Tensor, x: Tensor, gradients: List[Tensor], i: int) -> int:
    _0 = torch._set_item(gradients, i, torch.matmul(torch.t(g), x))
    if $bias:
      _1 = torch._set_item(gradients, $layers + i, torch.sum(g, [0]))
    else:
      pass
    return i
  def gradients(self: __torch__.Program, g: Tensor, p: List[Tensor], saved: List[Tensor], masks: List[Tensor]) -> List[Tensor]:
    gradients = torch.list(p)
    _0 = (self).linear_gradients(g, torch.pop(saved), gradients, $hidden)
    for j in range($hidden):
      i = $hidden - 1 - j
      g = torch.matmul(g, p[i + 1])
      if $dropout:
        g = g * masks[i]
      else:
        g = g
      g = (self).activation_gradient(g, torch.pop(saved))
      if $layer_norm:
        rstd = torch.pop(saved)
        mean = torch.pop(saved)
        x = torch.pop(saved)
        weight = p[$norms + i]
        gx, gw, gb, = torch.native_layer_norm_backward(g, x, [torch.size(x, -1)], mean, rstd, weight, p[$norms + $hidden + i], [True, True, True])
        _1 = torch._set_item(gradients, $norms + i, gw)
        _2 = torch._set_item(gradients, $norms + $hidden + i, gb)
        g = gx
      else:
        g = g
      _3 = (self).linear_gradients(g, torch.pop(saved), gradients, i)
    return gradients
