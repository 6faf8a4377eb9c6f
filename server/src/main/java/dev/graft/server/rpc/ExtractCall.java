package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.jobs.ExtractJob;
import dev.graft.server.jobs.FeatureRequest;
import dev.graft.server.jobs.ItemPlace;
import dev.graft.server.jobs.Predictor;
import dev.graft.server.jobs.WorkerResources;
import dev.graft.v1.DataType;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.Optional;

/** One Extract stream. */
final class ExtractCall extends Inbound<ExtractRequest, ExtractResponse, ExtractJob>
    implements ExtractJob.Listener {
  private final WorkerResources worker;
  private final WorkerLimits limits;

  private ExtractSpec spec;
  private Optional<Bundle> bundle = Optional.empty();
  private FileAssembly projectorFile;
  private ResultEncoder encoder;

  ExtractCall(
      WorkerResources worker,
      WorkerLimits limits,
      Calls calls,
      ServerCallStreamObserver<ExtractResponse> call) {
    super(call, calls);
    this.worker = worker;
    this.limits = limits;
  }

  @Override
  void handle(ExtractRequest request) {
    switch (request.getMessageCase()) {
      case SPEC -> handleSpec(request.getSpec());
      case PROJECTOR_FILE -> {
        if (spec == null || job != null) {
          throw protocol(
              "A projector_file message came before the spec, or after the file was complete.");
        }
        projectorFile.add(request.getProjectorFile());
        if (projectorFile.complete()) {
          byte[] file = projectorFile.bytes();
          projectorFile = null;
          start(file);
        }
      }
      case ITEMS -> {
        requireJob("items");
        if (request.getItems().getItemsCount() == 0) {
          throw protocol("An items message has no items.");
        }
        request.getItems().getItemsList().forEach(this::handleItem);
      }
      case FLUSH -> {
        requireJob("flush");
        job.flush();
      }
      case MESSAGE_NOT_SET -> throw protocol("A request has no message that this worker knows.");
    }
  }

  private void handleSpec(ExtractSpec received) {
    if (spec != null) {
      throw protocol("A second spec came; a stream has one.");
    }
    spec = received;
    if (!spec.getBundle().isEmpty()) {
      startBundle();
    } else if (!spec.hasProjector()) {
      if (spec.getPredictionsOnly()) {
        throw FeatureMessages.invalid("predictions_only", "is set, but there is no projector");
      }
      start(new byte[0]);
    } else {
      projectorFile =
          new FileAssembly(
              "projector_file", spec.getProjector().getFileBytes(), limits.maxFileBytes());
      if (projectorFile.complete()) {
        throw FeatureMessages.invalid(
            "projector.file_bytes", "is 0; the projector's safetensors file must follow");
      }
    }
  }

  private void startBundle() {
    if (spec.hasFeatures() || spec.hasProjector()) {
      throw FeatureMessages.invalid(
          "bundle", "stands for features and projector; leave those unset beside it");
    }
    bundle =
        Optional.of(
            Bundle.read(worker.backbones().roots(), spec.getBundle(), limits.maxFileBytes()));
    spec =
        spec.toBuilder()
            .setFeatures(bundle.get().features())
            .setProjector(bundle.get().projector())
            .build();
    start(bundle.get().projectorFile());
  }

  private void start(byte[] projector) {
    FeatureRequest request = FeatureMessages.request(spec.getFeatures());
    DataType outputType = FeatureMessages.outputType(spec.getFeatures());
    Optional<Predictor> predictor =
        spec.hasProjector()
            ? Optional.of(
                ProjectorMessages.predictor(worker.device(), spec.getProjector(), projector))
            : Optional.empty();
    job = new ExtractJob(worker, request, predictor, this);
    bundle.ifPresent(known -> known.requireBackbone(job.backboneDigest().orElse("")));
    checkProjector(predictor);
    encoder =
        new ResultEncoder(
            outputType, job.spec(), spec.getPredictionsOnly(), limits.maxMessageBytes());
    outbound.send(
        ExtractResponse.newBuilder()
            .setReady(
                ExtractReady.newBuilder()
                    .setFeatures(FeatureMessages.resolved(spec.getFeatures(), job.spec()))
                    .setFeatureSize(job.featureSize())
                    .setBackboneDigest(job.backboneDigest().orElse(""))
                    .setPredictionSize(
                        predictor.map(known -> known.projector().outputSize()).orElse(0)))
            .build());
  }

  private void checkProjector(Optional<Predictor> predictor) {
    if (predictor.isEmpty()) {
      return;
    }
    if (job.spec().isPresent() && job.spec().get().pooling() == Pooling.NONE) {
      throw FeatureMessages.invalid(
          "projector", "needs one feature an item, which pooling NONE does not give");
    }
    int inputSize = predictor.get().projector().inputSize();
    if (job.spec().isPresent() && job.featureSize() != inputSize) {
      throw GraftException.invalidArgument(
              "FEATURE_SIZE",
              "The projector takes features of "
                  + inputSize
                  + " values, but this backbone's have "
                  + job.featureSize()
                  + ".")
          .with("field", "spec.projector");
    }
  }

  private void handleItem(Item item) {
    job.add(
        item.getNumber(),
        FeatureMessages.content(item.getContent(), ItemPlace.content("items", item.getNumber())));
  }

  private void requireJob(String message) {
    if (job == null) {
      throw protocol(
          spec == null
              ? "The first message must be the spec, but it was " + message + "."
              : "A " + message + " message came before the projector's file was complete.");
    }
  }

  @Override
  void handleEnd() {
    requireJob("end");
    job.end();
  }

  @Override
  public void onResults(List<ExtractJob.Result> results) {
    encoder.encode(
        results, batch -> outbound.send(ExtractResponse.newBuilder().setResults(batch).build()));
  }

  @Override
  public void onEnd() {
    complete();
  }
}
