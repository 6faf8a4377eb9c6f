package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A projector that has been trained, on a device, ready to predict. */
public final class TrainedProjector implements AutoCloseable {
  private final Projector projector;
  private final Scope scope;
  private final Program program;
  private final List<Tensor> parameters = new ArrayList<>();

  private TrainedProjector(TorchDevice device, Projector projector, Map<String, float[]> weights) {
    this.projector = projector;
    this.program =
        Program.assemble(
            device, ProgramText.of(TrainedProjector.class, "projector.py", projector.literals()));
    this.scope = Scope.open(device);
    try {
      for (ParameterInfo parameter : projector.parameters()) {
        parameters.add(scope.floats(weights.get(parameter.name()), parameter.shapeArray()));
      }
    } catch (Throwable e) { // whatever it is, nobody else can free what was made so far
      close();
      throw e;
    }
  }

  /**
   * Loads a projector's file.
   *
   * @param spec the shape it was trained with; sizes that are unset are read from the file
   * @throws GraftException INVALID_ARGUMENT (WRONG_WEIGHTS) naming the tensor
   */
  public static TrainedProjector load(TorchDevice device, ProjectorSpec spec, byte[] file) {
    Map<String, TensorData> tensors = ProjectorWeights.parse(file).tensors();
    Projector projector = Projector.ofWeights(spec, tensors);
    return new TrainedProjector(device, projector, ProjectorWeights.take(projector, "", tensors));
  }

  /** Values of a feature that it takes. */
  public int inputSize() {
    return projector.inputSize();
  }

  /** Values of its output. */
  public int outputSize() {
    return projector.spec().outputSize();
  }

  /**
   * Projects features.
   *
   * @param features {@code [rows, inputSize]}, row-major
   * @return {@code [rows, outputSize]}
   */
  public float[] project(float[] features) {
    try (Scope step = Scope.open(scope.device())) {
      Tensor input = step.floats(features, features.length / inputSize(), inputSize());
      return program.call(step, "project", input, parameters).toFloats();
    }
  }

  @Override
  public void close() {
    program.close();
    scope.close();
  }
}
