package dev.graft.client;

import com.google.protobuf.ByteString;
import dev.graft.v1.Checkpoint;
import dev.graft.v1.FileChunk;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainResult;
import java.util.Optional;
import java.util.function.Consumer;

/** Events of a Train call: {@code ready} first, the projector's file and {@code result} last. */
final class TrainDecoder implements ResponseDecoder<TrainResponse, TrainEvent> {
  /** How far the call is. */
  private enum Stage {
    OPENED,
    READY,
    COMPLETED
  }

  private final long maxFileBytes;
  private final FileAssembly projector;
  private Stage stage = Stage.OPENED;
  private FileAssembly checkpoint;
  private long checkpointStep;
  private ByteString projectorFile;
  private TrainEvent.CheckpointSaved lastCheckpoint;

  TrainDecoder(long maxFileBytes) {
    this.maxFileBytes = maxFileBytes;
    this.projector = new FileAssembly("the projector's file", maxFileBytes);
  }

  @Override
  public void decode(TrainResponse response, Consumer<? super TrainEvent> events)
      throws ContractBreach {
    requireStage(response.hasReady() ? Stage.OPENED : Stage.READY, response);
    switch (response.getMessageCase()) {
      case READY -> {
        stage = Stage.READY;
        events.accept(new TrainEvent.Ready(response.getReady()));
      }
      case EXTRACTION -> events.accept(new TrainEvent.Extraction(response.getExtraction()));
      case STARTED -> events.accept(new TrainEvent.Started(response.getStarted()));
      case TRAINING -> events.accept(new TrainEvent.Training(response.getTraining()));
      case LOG -> events.accept(new TrainEvent.Log(response.getLog()));
      case EVALUATION -> events.accept(new TrainEvent.Evaluated(response.getEvaluation()));
      case CHECKPOINT -> {
        if (addCheckpointPart(response.getCheckpoint())) {
          events.accept(lastCheckpoint);
        }
      }
      case PROJECTOR_FILE -> addProjectorPart(response.getProjectorFile());
      case RESULT -> {
        events.accept(completed(response.getResult()));
        stage = Stage.COMPLETED;
      }
      case MESSAGE_NOT_SET -> {
        if (response.getUnknownFields().asMap().isEmpty()) {
          throw new ContractBreach("the worker sent an empty message");
        }
        // Otherwise what a later version tells, which this one can do without.
      }
    }
  }

  private void requireStage(Stage expected, TrainResponse response) throws ContractBreach {
    if (stage != expected) {
      throw new ContractBreach(
          "the worker sent %s when the call was %s".formatted(response.getMessageCase(), stage));
    }
  }

  private boolean addCheckpointPart(Checkpoint part) throws ContractBreach {
    if (checkpoint == null) {
      checkpoint = new FileAssembly("the checkpoint of step " + part.getStep(), maxFileBytes);
      checkpointStep = part.getStep();
    }
    if (part.getStep() != checkpointStep) {
      throw new ContractBreach(
          "the worker began the checkpoint of step %d before that of step %d was complete"
              .formatted(part.getStep(), checkpointStep));
    }
    Optional<ByteString> file = checkpoint.add(part.getChunk());
    if (file.isPresent()) {
      checkpoint = null;
      lastCheckpoint = new TrainEvent.CheckpointSaved(checkpointStep, file.get());
    }
    return file.isPresent();
  }

  private void addProjectorPart(FileChunk part) throws ContractBreach {
    if (projectorFile != null) {
      throw new ContractBreach("the worker sent more than the projector's whole file");
    }
    projectorFile = projector.add(part).orElse(null);
  }

  private TrainEvent.Completed completed(TrainResult result) throws ContractBreach {
    if (projectorFile == null || checkpoint != null) {
      throw new ContractBreach("the worker sent the result before the whole of its files");
    }
    String sha256 = Sha256.hex(projectorFile);
    if (!sha256.equals(result.getProjectorSha256())) {
      throw new ContractBreach(
          "the projector's file arrived with SHA-256 %s, but the worker had computed %s"
              .formatted(sha256, result.getProjectorSha256()));
    }
    return new TrainEvent.Completed(result, projectorFile);
  }

  @Override
  public void finish() throws ContractBreach {
    if (stage != Stage.COMPLETED) {
      throw new ContractBreach("the worker closed the stream before it sent the result");
    }
  }

  @Override
  public Optional<TrainEvent.CheckpointSaved> lastCheckpoint() {
    return Optional.ofNullable(lastCheckpoint);
  }
}
