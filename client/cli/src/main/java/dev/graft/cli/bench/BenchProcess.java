package dev.graft.cli.bench;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.server.jobs.Content;
import dev.graft.server.jobs.FeatureRequest;
import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernels;
import dev.graft.v1.Backbone;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** One measurement: a worker and its client over a socket, in a process of their own. */
final class BenchProcess implements AutoCloseable {
  private final String model;
  private final Optional<ComputeDtype> dtype;
  private final Worker worker;
  private final GraftClient client;
  private final Map<String, Object> figures = new LinkedHashMap<>();

  /**
   * @param model the backbone; none for a worker that loads none
   */
  BenchProcess(Optional<Path> model, Optional<ComputeDtype> dtype) throws IOException {
    this.model = model.map(Path::toString).orElse("");
    this.dtype = dtype;
    this.worker =
        Worker.start(
            new WorkerOptions()
                .listen("127.0.0.1", 0)
                .modelRoots(model.stream().toList())
                .computeDtype(dtype)
                .cacheMemoryBytes(0));
    this.client = GraftClient.connect("127.0.0.1:" + worker.port());
  }

  /** A worker before it has a backbone. */
  void idle() {
    figures.put("dtype", resolvedDtype().name());
  }

  /** Extracts features of all items once and trains a linear projector on them for three epochs. */
  void train(List<Item> items) throws IOException {
    loadBackbone(items.get(0));
    TrainSpec spec =
        TrainSpec.newBuilder()
            .setFeatures(features(Pooling.POOLING_LAST))
            .setProjector(Projector.newBuilder().setKind(ProjectorKind.PROJECTOR_KIND_LINEAR))
            .setObjective(
                Objective.newBuilder()
                    .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(BenchItems.CLASSES)))
            .setArguments(TrainingArguments.newBuilder().setLearningRate(1e-4).setNumTrainEpochs(3))
            .build();
    double start = System.nanoTime() / 1e9;
    double busy = ProcessFigures.busySeconds() - ProcessFigures.ownSeconds();
    TrainEvent.Completed completed = client.trainAsync(TrainJob.of(spec, items)).join();
    double seconds = System.nanoTime() / 1e9 - start;
    figures.put("seconds", seconds);
    figures.put("extract_s", completed.result().getExtractionSeconds());
    figures.put("train_s", completed.result().getTrainRuntimeSeconds());
    figures.put(
        "other_cores",
        (ProcessFigures.busySeconds() - ProcessFigures.ownSeconds() - busy) / seconds);
    figures.put("tokens_per_s", BenchItems.tokens(items) / seconds);
    double limit =
        worker.services().resources().lanes().count()
            * 1e9
            * worker.services().resources().kernels().measured().stream()
                .filter(measured -> measured.dtype() == resolvedDtype())
                .mapToDouble(Kernels.Measured::gflops)
                .max()
                .orElseThrow();
    figures.put(
        "product_limit_fraction",
        BenchItems.tokens(items)
            * BenchModel.PRODUCT_FLOPS_PER_TOKEN
            / completed.result().getExtractionSeconds()
            / limit);
  }

  /** Extracts texts over the socket, and in the same process without transport, in turns. */
  void extract(List<Item> items) throws IOException {
    loadBackbone(items.get(0));
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(features(Pooling.POOLING_MEAN)).build();
    double busy = ProcessFigures.busySeconds() - ProcessFigures.ownSeconds();
    double begin = System.nanoTime() / 1e9;
    double socket = Double.MAX_VALUE;
    double direct = Double.MAX_VALUE;
    long tokens = 0;
    for (int round = 0; round < 3; round++) {
      double start = System.nanoTime() / 1e9;
      List<ItemResult> results = client.extractAsync(ExtractJob.of(spec), items).join().results();
      socket = Math.min(socket, System.nanoTime() / 1e9 - start);
      tokens = results.stream().mapToLong(ItemResult::getTokens).sum();
      start = System.nanoTime() / 1e9;
      extractDirectly(items);
      direct = Math.min(direct, System.nanoTime() / 1e9 - start);
    }
    figures.put("seconds", socket);
    figures.put(
        "other_cores",
        (ProcessFigures.busySeconds() - ProcessFigures.ownSeconds() - busy)
            / (System.nanoTime() / 1e9 - begin));
    figures.put("tokens", tokens);
    figures.put("tokens_per_s", tokens / socket);
    figures.put("in_process_tokens_per_s", tokens / direct);
    figures.put("socket_to_in_process", direct / socket);
  }

  private void extractDirectly(List<Item> items) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    FeatureRequest request =
        new FeatureRequest(
            Optional.of(model),
            Optional.of(dev.graft.server.extraction.Pooling.MEAN),
            OptionalInt.empty(),
            false,
            dtype,
            0,
            false);
    try (var job =
        new dev.graft.server.jobs.ExtractJob(
            worker.services().resources(), request, Optional.empty(), new UntilEnd(end))) {
      for (Item item : items) {
        job.add(item.getNumber(), new Content.Text(item.getContent().getText()));
      }
      job.end();
      end.join();
    }
  }

  private void loadBackbone(Item item) throws IOException {
    double start = System.nanoTime() / 1e9;
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(features(Pooling.POOLING_LAST)).build();
    ItemResult first =
        client.extractAsync(ExtractJob.of(spec), List.of(item)).join().results().get(0);
    figures.put("load_s", System.nanoTime() / 1e9 - start);
    figures.put("first_feature_s", ProcessFigures.secondsSinceStart());
    figures.put("feature_size", first.getFeatures().getShape(0));
    figures.put("dtype", resolvedDtype().name());
  }

  private ComputeDtype resolvedDtype() {
    return dtype.orElse(worker.services().resources().defaultComputeDtype());
  }

  private FeatureSpec features(Pooling pooling) {
    return FeatureSpec.newBuilder()
        .setBackbone(Backbone.newBuilder().setPath(model))
        .setPooling(pooling)
        .build();
  }

  /** Prints what was measured, as one line of JSON. */
  void print(PrintStream out) throws IOException {
    figures.put("peak_rss_mib", ProcessFigures.peakMemoryMebibytes());
    out.println(Measurement.JSON.writeValueAsString(figures));
  }

  @Override
  public void close() {
    client.close();
    worker.close();
  }

  private record UntilEnd(CompletableFuture<Void> end)
      implements dev.graft.server.jobs.ExtractJob.Listener {
    @Override
    public void onResults(List<dev.graft.server.jobs.ExtractJob.Result> results) {}

    @Override
    public void onEnd() {
      end.complete(null);
    }

    @Override
    public void onFailure(Throwable error) {
      end.completeExceptionally(error);
    }
  }
}
