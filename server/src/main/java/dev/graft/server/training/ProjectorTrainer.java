package dev.graft.server.training;

import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.torch.Weights;
import dev.graft.server.training.CounterRandom.Purpose;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A projector, its optimizer's state and the datasets on a device, and the program that makes
 * steps. Gradients are written out in the program: with so few layers that is less work than
 * recording them, and one call makes the whole step.
 */
final class ProjectorTrainer implements AutoCloseable {
  private final Projector projector;
  private final TrainingArguments arguments;
  private final Scope scope;
  private final Program program;

  /** The weights of Linear layers, which decay; and biases and LayerNorms, which do not. */
  private final Weights weights;

  private final Weights others;

  /** By the optimizer's kind of state. */
  private final List<Weights> weightsState = new ArrayList<>();

  private final List<Weights> othersState = new ArrayList<>();
  private final Weights trainData;
  private final Weights evalData;

  /** Loss, the mean of the step's batches, and the norm of its gradient before clipping. */
  record Step(double loss, double gradNorm) {
    boolean finite() {
      return Double.isFinite(loss) && Double.isFinite(gradNorm);
    }
  }

  /** Mean loss of each batch, and what the objective measures. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Evaluated(float[] losses, float[] measured) {}

  /**
   * @param state of the optimizer, by its name and the parameter's; empty at the start
   */
  ProjectorTrainer(
      TorchDevice device,
      TrainingSpec spec,
      Projector projector,
      Map<String, float[]> start,
      Map<String, Map<String, float[]>> state,
      FeatureDataset train,
      FeatureDataset eval) {
    this.projector = projector;
    this.arguments = spec.arguments();
    Loss loss = Loss.of(spec.objective(), arguments.labelSmoothingFactor());
    this.program = assemble(device, loss, train.paired());
    this.scope = Scope.open(device);
    List<ParameterInfo> all = projector.parameters();
    List<ParameterInfo> decaying = all.subList(0, projector.hiddenLayers() + 1);
    List<ParameterInfo> rest = all.subList(decaying.size(), all.size());
    try {
      this.weights = upload(decaying, start);
      this.others = upload(rest, start);
      for (String name : arguments.optim().stateNames()) {
        weightsState.add(upload(decaying, state.get(name)));
        othersState.add(upload(rest, state.get(name)));
      }
      this.trainData = upload(loss, train);
      this.evalData = eval.items() == 0 ? null : upload(loss, eval);
    } catch (RuntimeException | Error e) { // whatever it is, nobody will close this
      close();
      throw e;
    }
  }

  private Program assemble(TorchDevice device, Loss loss, boolean pairs) {
    Map<String, Object> literals = new LinkedHashMap<>(projector.literals());
    literals.putAll(loss.literals());
    literals.put("device", device.name());
    literals.put("pairs", pairs);
    literals.put("clip", arguments.maxGradNorm());
    literals.put("weight_decay", arguments.weightDecay());
    literals.put("beta1", arguments.adamBeta1());
    literals.put("beta2", arguments.adamBeta2());
    literals.put("epsilon", arguments.adamEpsilon());
    literals.put("momentum", arguments.momentum());
    String optimizer =
        switch (arguments.optim()) {
          case ADAMW_TORCH -> "adamw.py";
          case SGD -> "sgd.py";
        };
    return Program.assemble(
        device,
        ProgramText.of(ProjectorTrainer.class, "upload.py", literals),
        ProgramText.of(ProjectorTrainer.class, "projector.py", literals),
        ProgramText.of(ProjectorTrainer.class, loss.program(), literals),
        ProgramText.of(ProjectorTrainer.class, optimizer, literals),
        ProgramText.of(ProjectorTrainer.class, "step.py", literals));
  }

  private Weights upload(List<ParameterInfo> parameters, Map<String, float[]> values) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (ParameterInfo parameter : parameters) {
      float[] given = values.get(parameter.name());
      tensors.put(parameter.name(), scope.floats(given, parameter.shapeArray()));
    }
    return Weights.of(scope, tensors);
  }

  private Weights upload(Loss loss, FeatureDataset dataset) {
    Upload upload = new Upload(program, scope);
    Map<String, Tensor> tensors = new LinkedHashMap<>(loss.tensors(upload, dataset));
    tensors.put("features", upload.matrix(dataset.features(), dataset.size()));
    if (dataset.paired()) {
      tensors.put("pairs", upload.matrix(dataset.pairs(), dataset.size()));
    }
    return Weights.of(scope, tensors);
  }

  /** Puts an epoch's order on the device. */
  Tensor order(Scope epochScope, long[] order) {
    return epochScope.longs(order, order.length);
  }

  /**
   * One optimizer step; with a loss or a norm that is not finite, nothing is changed.
   *
   * @param order of the epoch
   * @param bounds where the step's batches begin in it, and where the last ends
   * @param number of the step, from 1
   * @param epoch and {@code batch}: of the first batch, from 0; dropout is drawn for them
   */
  Step step(Tensor order, long[] bounds, double learningRate, long number, long epoch, long batch) {
    try (Scope step = Scope.open(scope.device())) {
      float[] results =
          program
              .call(
                  step,
                  "train",
                  trainData,
                  order,
                  weights,
                  others,
                  weightsState,
                  othersState,
                  masks(step, bounds, epoch, batch),
                  bounds,
                  learningRate,
                  number)
              .toFloats();
      return new Step(results[0], results[1]);
    }
  }

  /** The loss and its gradients, in the order of the parameters; for tests. */
  List<float[]> gradients(Tensor order, long[] bounds, long epoch, long batch) {
    try (Scope step = Scope.open(scope.device())) {
      List<Tensor> masks = masks(step, bounds, epoch, batch);
      return program
          .callList(step, "gradients_of", trainData, order, weights, others, masks, bounds)
          .stream()
          .map(Tensor::toFloats)
          .toList();
    }
  }

  /** Evaluates items from {@code first} to before {@code end}, in batches. */
  Evaluated evaluate(int first, int end) {
    try (Scope step = Scope.open(scope.device())) {
      List<Tensor> results =
          program.callList(
              step,
              "evaluate",
              evalData,
              weights,
              others,
              first,
              end,
              arguments.perDeviceEvalBatchSize());
      return new Evaluated(results.get(0).toFloats(), results.get(1).toFloats());
    }
  }

  /** What hidden values are multiplied with: 0, or 1/(1 - dropout). By batch, then by layer. */
  private List<Tensor> masks(Scope step, long[] bounds, long epoch, long batch) {
    double dropout = projector.spec().dropout();
    List<Tensor> masks = new ArrayList<>();
    if (dropout == 0) {
      return masks;
    }
    float kept = (float) (1 / (1 - dropout));
    for (int i = 0; i + 1 < bounds.length; i++) {
      int rows =
          (int) (bounds[i + 1] - bounds[i]) * (trainData.tensors().containsKey("pairs") ? 2 : 1);
      for (int layer = 0; layer < projector.hiddenLayers(); layer++) {
        int size = projector.spec().hiddenSizes().get(layer);
        CounterRandom random =
            CounterRandom.of(arguments.seed(), Purpose.DROPOUT, epoch, batch + i, layer);
        float[] mask = new float[Math.multiplyExact(rows, size)];
        for (int j = 0; j < mask.length; j++) {
          mask[j] = random.uniform(j) < dropout ? 0 : kept;
        }
        masks.add(step.floats(mask, rows, size));
      }
    }
    return masks;
  }

  /** The projector's values by name. */
  Map<String, float[]> weights() {
    return download(weights, others);
  }

  /** The optimizer's values, by its name for them and the parameter's name. */
  Map<String, Map<String, float[]>> optimizerState() {
    Map<String, Map<String, float[]>> state = new LinkedHashMap<>();
    for (int i = 0; i < weightsState.size(); i++) {
      String name = arguments.optim().stateNames().get(i);
      state.put(name, download(weightsState.get(i), othersState.get(i)));
    }
    return state;
  }

  private static Map<String, float[]> download(Weights... groups) {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (Weights group : groups) {
      group.tensors().forEach((name, tensor) -> values.put(name, tensor.toFloats()));
    }
    return values;
  }

  @Override
  public void close() {
    scope.close();
    program.close();
  }
}
