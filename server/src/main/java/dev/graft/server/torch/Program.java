package dev.graft.server.torch;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.graft.server.GraftException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A TorchScript module without state, assembled from method texts in TorchScript's serialized
 * dialect. Its methods may run on several threads at once. Programs live as long as the process or
 * the backbone that has them.
 */
public final class Program implements AutoCloseable {
  private static final String HEADER =
      "class Program(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n";

  private final PtNDManager manager;
  private final PtSymbolBlock module;
  private final String text;

  private Program(PtNDManager manager, PtSymbolBlock module, String text) {
    this.manager = manager;
    this.module = module;
    this.text = text;
  }

  /**
   * Compiles methods into one program.
   *
   * @param methods texts of methods, each indented by two spaces: {@code " def f(self:
   *     __torch__.Program, x: Tensor) -> Tensor:\n..."}; a method must stand before those that call
   *     it
   */
  public static Program assemble(TorchDevice device, String... methods) {
    Torch.prepareThread();
    StringBuilder text = new StringBuilder(HEADER);
    for (String part : methods) {
      text.append(part);
      if (!part.endsWith("\n")) {
        text.append('\n');
      }
    }
    PtNDManager manager = (PtNDManager) NDManager.newBaseManager(device.djl(), "PyTorch");
    try {
      byte[] archive = ScriptArchive.of(text.toString());
      PtSymbolBlock module =
          JniUtils.loadModule(manager, new ByteArrayInputStream(archive), false, false);
      return new Program(manager, module, text.toString());
    } catch (IOException e) {
      manager.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) { // whatever it is, nobody else can free it
      manager.close();
      throw e;
    }
  }

  /** The whole text, from which results follow: it belongs into the digest of what was computed. */
  public String text() {
    return text;
  }

  /**
   * Runs a method without recording gradients.
   *
   * @param arguments each a Tensor, Weights, List of Tensor or Weights (not empty for Weights),
   *     long[], double[], Integer, Long, Double, Boolean or String
   * @return the method's tensor, owned by {@code scope}
   * @throws GraftException RESOURCE_EXHAUSTED (OUT_OF_MEMORY) if the device's memory does not
   *     suffice
   */
  public Tensor call(Scope scope, String method, Object... arguments) {
    return scope.adopt(run(scope, method, arguments));
  }

  /** The same for a method that returns a list of tensors. */
  public List<Tensor> callList(Scope scope, String method, Object... arguments) {
    try (IValue list = run(scope, method, arguments)) {
      List<Tensor> tensors = new ArrayList<>();
      for (IValue element : list.toIValueArray()) {
        tensors.add(scope.adopt(element));
      }
      return tensors;
    }
  }

  private IValue run(Scope scope, String method, Object... arguments) {
    Torch.prepareThread();
    List<IValue> temporary = new ArrayList<>();
    IValue[] values = new IValue[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      values[i] = value(arguments[i], temporary);
    }
    try {
      return IValueUtils.runMethod(module, method, values);
    } catch (EngineException e) {
      throw translate(e, scope.device());
    } finally {
      temporary.forEach(IValue::close);
    }
  }

  /**
   * Runs a method in which {@code torch.grad} works. Its results may be saved for gradients.
   *
   * @param inputs the arguments, all tensors: an entry {@code x} is an argument {@code x: Tensor};
   *     entries {@code w.a}, {@code w.b} are together one {@code w: Dict[str, Tensor]}; entries
   *     {@code p[]} are together one {@code p: List[Tensor]}. Arguments stand in the order of their
   *     first entry. Plain arguments must not be bfloat16.
   */
  public List<Tensor> callWithGradients(
      Scope scope, String method, List<Map.Entry<String, Tensor>> inputs) {
    Torch.prepareThread();
    try (PtNDManager temporary = (PtNDManager) scope.manager().newSubManager()) {
      NDList arrays = new NDList();
      for (Map.Entry<String, Tensor> input : inputs) {
        PtNDArray array = input.getValue().value().toTensor(temporary);
        array.setName(input.getKey());
        arrays.add(array);
      }
      PtNDArray selector = (PtNDArray) temporary.create(0f);
      selector.setName("module_method:" + method);
      arrays.add(selector);
      List<Tensor> results = new ArrayList<>();
      for (NDArray result : IValueUtils.forward(module, arrays, true)) {
        results.add(scope.adopt(IValue.from((PtNDArray) result)));
      }
      return results;
    } catch (EngineException e) {
      throw translate(e, scope.device());
    }
  }

  private static IValue value(Object argument, List<IValue> temporary) {
    if (argument instanceof Tensor tensor) {
      return tensor.value();
    }
    if (argument instanceof Weights weights) {
      return weights.dictionary();
    }
    IValue made;
    if (argument instanceof List<?> list) {
      made = listValue(list);
    } else if (argument instanceof Integer || argument instanceof Long) {
      made = IValue.from(((Number) argument).longValue());
    } else if (argument instanceof Double number) {
      made = IValue.from(number);
    } else if (argument instanceof Boolean flag) {
      made = IValue.from(flag);
    } else if (argument instanceof String string) {
      made = IValue.from(string);
    } else if (argument instanceof long[] longs) {
      made = IValue.listFrom(longs);
    } else if (argument instanceof double[] doubles) {
      made = IValue.listFrom(doubles);
    } else {
      throw new IllegalArgumentException("A program takes no " + argument.getClass());
    }
    temporary.add(made);
    return made;
  }

  private static IValue listValue(List<?> list) {
    if (!list.isEmpty() && list.get(0) instanceof Weights) {
      return IValue.listFrom(
          list.stream().map(weights -> ((Weights) weights).dictionary()).toArray(IValue[]::new));
    }
    return IValue.listFrom(
        list.stream().map(tensor -> ((Tensor) tensor).array()).toArray(PtNDArray[]::new));
  }

  private static RuntimeException translate(EngineException e, TorchDevice device) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("out of memory") || message.contains("not enough memory")) {
      return GraftException.of(
              GraftException.Category.RESOURCE_EXHAUSTED,
              "OUT_OF_MEMORY",
              "The memory of device "
                  + device.name()
                  + " does not suffice. Use a smaller batch or a smaller backbone.")
          .with("device", device.name())
          .causedBy(e);
    }
    return e;
  }

  @Override
  public void close() {
    module.close();
    manager.close();
  }
}
