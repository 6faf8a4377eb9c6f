package dev.graft.server.rpc;

import com.google.protobuf.UnsafeByteOperations;
import dev.graft.server.Sha256;
import dev.graft.server.jobs.FeatureRequest;
import dev.graft.server.jobs.FrozenGuard;
import dev.graft.server.jobs.TrainJob;
import dev.graft.server.jobs.WorkerResources;
import dev.graft.server.training.Evaluation;
import dev.graft.server.training.LogEntry;
import dev.graft.server.training.TrainingProgress;
import dev.graft.server.training.TrainingSpec;
import dev.graft.server.training.TrainingStarted;
import dev.graft.v1.Checkpoint;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.ItemBatch;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainSpec;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/** One Train stream. */
final class TrainCall extends Inbound<TrainRequest, TrainResponse, TrainJob>
    implements TrainJob.Listener {
  private final WorkerResources worker;
  private final WorkerLimits limits;

  private TrainSpec spec;
  private FileAssembly initialProjector;
  private FileAssembly checkpoint;
  private boolean checkpointRequested;
  private boolean dataEnded;

  TrainCall(
      WorkerResources worker,
      WorkerLimits limits,
      Calls calls,
      ServerCallStreamObserver<TrainResponse> call) {
    super(call, calls);
    this.worker = worker;
    this.limits = limits;
  }

  @Override
  void handle(TrainRequest request) {
    switch (request.getMessageCase()) {
      case SPEC -> handleSpec(request.getSpec());
      case INITIAL_PROJECTOR_FILE -> {
        requireFiles("initial_projector_file");
        initialProjector.add(request.getInitialProjectorFile());
        startWhenComplete();
      }
      case CHECKPOINT_FILE -> {
        requireFiles("checkpoint_file");
        checkpoint.add(request.getCheckpointFile());
        startWhenComplete();
      }
      case TRAIN_ITEMS ->
          addItems(
              request.getTrainItems(),
              "train_items",
              job -> item -> job.addTrain(TrainingMessages.item(item, "train_items")));
      case EVAL_ITEMS ->
          addItems(
              request.getEvalItems(),
              "eval_items",
              job -> item -> job.addEval(TrainingMessages.item(item, "eval_items")));
      case END_OF_DATA -> endData();
      case CHECKPOINT_REQUEST -> requestCheckpoint();
      case MESSAGE_NOT_SET -> throw protocol("A request has no message that this worker knows.");
    }
  }

  private void handleSpec(TrainSpec received) {
    if (spec != null) {
      throw protocol("A second spec came; a stream has one.");
    }
    spec = received;
    initialProjector =
        new FileAssembly(
            "initial_projector_file", spec.getInitialProjectorBytes(), limits.maxFileBytes());
    checkpoint =
        new FileAssembly("checkpoint_file", spec.getCheckpointBytes(), limits.maxFileBytes());
    startWhenComplete();
  }

  private void startWhenComplete() {
    if (!initialProjector.complete() || !checkpoint.complete()) {
      return;
    }
    FeatureRequest request = FeatureMessages.request(spec.getFeatures());
    if (spec.getBackboneModulesCount() > 0) {
      throw FrozenGuard.refusal(worker, request.backbone(), spec.getBackboneModulesList());
    }
    TrainingSpec training =
        TrainingSpec.of(
            spec.hasProjector()
                ? Optional.of(ProjectorMessages.spec(spec.getProjector()))
                : Optional.empty(),
            TrainingMessages.objective(spec.getObjective()),
            TrainingArgumentsMessages.arguments(spec.getArguments()));
    job =
        new TrainJob(
            worker,
            request,
            training,
            Optional.of(initialProjector.bytes()).filter(bytes -> bytes.length > 0),
            Optional.of(checkpoint.bytes()).filter(bytes -> bytes.length > 0),
            this);
    initialProjector = null;
    checkpoint = null;
    if (checkpointRequested) {
      job.requestCheckpoint();
    }
    outbound.send(
        TrainResponse.newBuilder()
            .setReady(
                TrainReady.newBuilder()
                    .setAudit(TrainingMessages.message(job.audit()))
                    .setSpec(
                        spec.toBuilder()
                            .setFeatures(
                                FeatureMessages.resolved(spec.getFeatures(), job.featureSpec()))
                            .setProjector(ProjectorMessages.message(job.projector()))
                            .setObjective(TrainingMessages.message(training.objective()))
                            .setArguments(TrainingArgumentsMessages.message(training.arguments()))))
            .build());
  }

  private void addItems(ItemBatch items, String name, Function<TrainJob, Consumer<Item>> sink) {
    requireJob(name);
    if (dataEnded) {
      throw protocol("A " + name + " message came after the end of data.");
    }
    if (items.getItemsCount() == 0) {
      throw protocol("A " + name + " message has no items.");
    }
    items.getItemsList().forEach(sink.apply(job));
  }

  private void requireFiles(String name) {
    if (spec == null || job != null) {
      throw protocol(
          "A " + name + " message came before the spec, or after the file was complete.");
    }
  }

  private void requireJob(String name) {
    if (job == null) {
      throw protocol(
          spec == null
              ? "The first message must be the spec, but it was " + name + "."
              : "A "
                  + name
                  + " message came before the files that the spec announces were complete.");
    }
  }

  /** At any time after the spec, also before its files are complete. */
  private void requestCheckpoint() {
    if (spec == null) {
      requireJob("checkpoint_request");
    }
    checkpointRequested = true;
    if (job != null) {
      job.requestCheckpoint();
    }
  }

  private void endData() {
    requireJob("end_of_data");
    if (!dataEnded) {
      dataEnded = true;
      job.end();
    }
  }

  @Override
  void handleEnd() {
    endData();
  }

  @Override
  public void onExtraction(TrainJob.ExtractionProgress progress) {
    outbound.send(
        TrainResponse.newBuilder().setExtraction(TrainingMessages.message(progress)).build());
  }

  @Override
  public void onStarted(TrainingStarted started, TrainJob.ExtractionProgress progress) {
    outbound.send(
        TrainResponse.newBuilder()
            .setStarted(TrainingMessages.message(started, progress.truncatedItems()))
            .build());
  }

  @Override
  public void onTraining(TrainingProgress progress) {
    outbound.send(
        TrainResponse.newBuilder().setTraining(TrainingMessages.message(progress)).build());
  }

  @Override
  public void onLogged(LogEntry entry) {
    outbound.send(TrainResponse.newBuilder().setLog(TrainingMessages.message(entry)).build());
  }

  @Override
  public void onEvaluated(Evaluation evaluation) {
    outbound.send(
        TrainResponse.newBuilder().setEvaluation(TrainingMessages.message(evaluation)).build());
  }

  @Override
  public void onCheckpoint(long step, byte[] file) {
    sendFile(
        file,
        chunk ->
            TrainResponse.newBuilder()
                .setCheckpoint(Checkpoint.newBuilder().setStep(step).setChunk(chunk)));
  }

  @Override
  public void onFinished(TrainJob.Finished finished) {
    byte[] file = finished.result().projectorFile();
    sendFile(file, chunk -> TrainResponse.newBuilder().setProjectorFile(chunk));
    outbound.send(
        TrainResponse.newBuilder()
            .setResult(TrainingMessages.message(finished, Sha256.hex(file)))
            .build());
    complete();
  }

  private void sendFile(byte[] file, Function<FileChunk, TrainResponse.Builder> message) {
    int chunkBytes = limits.chunkBytes();
    for (int offset = 0; offset < file.length; offset += chunkBytes) {
      int length = Math.min(chunkBytes, file.length - offset);
      outbound.send(
          message
              .apply(
                  FileChunk.newBuilder()
                      .setOffset(offset)
                      .setTotalBytes(file.length)
                      .setData(UnsafeByteOperations.unsafeWrap(file, offset, length))
                      .build())
              .build());
    }
  }

  @Override
  public void drain() {
    if (job == null) {
      cut();
    } else {
      job.drain();
    }
  }
}
