package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import dev.graft.client.GraftClient;
import dev.graft.client.Items;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.Backbone;
import dev.graft.v1.CheckpointRequest;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.EndOfData;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.ItemBatch;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.TokenIds;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainedProjector;
import dev.graft.v1.TrainingArguments;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What a worker does with clients that break the contract: it says so, and goes on; the same over
 * every transport.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ProtocolScenarios {
  private static final TrainRequest CHECKPOINT_REQUEST =
      TrainRequest.newBuilder()
          .setCheckpointRequest(CheckpointRequest.getDefaultInstance())
          .build();

  private WorkerUnderTest worker;
  private GraftClient client;

  abstract WorkerUnderTest start(WorkerOptions options);

  static WorkerOptions options() {
    return new WorkerOptions().modelRoots(List.of(TinyModel.ROOT)).lanes(2).tokensPerBatch(128);
  }

  @BeforeAll
  void startWorker() {
    worker = start(options());
    client = worker.client();
  }

  @AfterAll
  void stopWorker() {
    client.close();
    worker.close();
  }

  @AfterEach
  void theWorkerGoesOn() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> good =
        extract(spec(), items(Items.tokenIds(7, 1, 2, 3))).halfClose();
    assertThat(good.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    assertThat(results(good)).extracting(ItemResult::getNumber).containsExactly(7L);
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (client.describe().getActiveCalls() > 0) {
      assertThat(System.nanoTime()).as("the calls end").isLessThan(end);
    }
  }

  @Test
  void itemsBeforeTheSpec() throws Exception {
    assertRefused(extract(items(Items.tokenIds(0, 1))), "PROTOCOL");
    assertRefused(train(trainItems(labelled(0))), "PROTOCOL");
  }

  @Test
  void aFlushBeforeTheSpec() throws Exception {
    assertRefused(
        extract(
            ExtractRequest.newBuilder().setFlush(dev.graft.v1.Flush.getDefaultInstance()).build()),
        "PROTOCOL");
  }

  @Test
  void twoSpecs() throws Exception {
    assertRefused(extract(spec(), spec()), "PROTOCOL");
    assertRefused(train(trainSpec(), trainSpec()), "PROTOCOL");
  }

  @Test
  void anEmptyMessage() throws Exception {
    assertRefused(extract(ExtractRequest.getDefaultInstance()), "PROTOCOL");
    assertRefused(extract(spec(), ExtractRequest.getDefaultInstance()), "PROTOCOL");
    assertRefused(train(TrainRequest.getDefaultInstance()), "PROTOCOL");
  }

  @Test
  void anItemsMessageWithoutItems() throws Exception {
    assertRefused(extract(spec(), items()), "PROTOCOL");
    assertRefused(train(trainSpec(), trainItems()), "PROTOCOL");
  }

  @Test
  void theStreamEndsBeforeTheSpec() throws Exception {
    assertRefused(extract().halfClose(), "PROTOCOL");
    assertRefused(train().halfClose(), "PROTOCOL");
  }

  @Test
  void aProjectorFileWithoutProjector() throws Exception {
    assertRefused(extract(chunk(0, 10, 10)), "PROTOCOL");
    assertRefused(extract(spec(), chunk(0, 10, 10)), "PROTOCOL");
  }

  @Test
  void aProjectorFileThatIsOutOfOrder() throws Exception {
    assertRefused(extract(specWithProjector(10), chunk(1, 10, 9)), "PROTOCOL");
    assertRefused(extract(specWithProjector(10), chunk(-1, 10, 9)), "PROTOCOL");
    assertRefused(extract(specWithProjector(10), chunk(0, 10, 4), chunk(5, 10, 5)), "PROTOCOL");
    assertRefused(extract(specWithProjector(10), chunk(0, 11, 4)), "PROTOCOL");
  }

  @Test
  void aProjectorFileThatIsTooLong() throws Exception {
    assertRefused(extract(specWithProjector(10), chunk(0, 10, 11)), "PROTOCOL");
  }

  @Test
  void aProjectorFileThatIsNeverComplete() throws Exception {
    assertRefused(extract(specWithProjector(10), chunk(0, 10, 9)).halfClose(), "PROTOCOL");
    assertRefused(
        extract(specWithProjector(10), chunk(0, 10, 9), items(Items.tokenIds(0, 1))), "PROTOCOL");
  }

  @Test
  void aProjectorFileOfNonsense() throws Exception {
    assertRefused(extract(specWithProjector(10), chunk(0, 10, 10)), "WRONG_WEIGHTS");
  }

  @Test
  void aProjectorFileOfNoOrImpossibleSize() throws Exception {
    assertRefused(extract(specWithProjector(0)), "INVALID_SPEC");
    for (long bytes : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 30) + 1}) {
      assertRefused(
          extract(specWithProjector(bytes)), Status.Code.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE");
      TrainSpec.Builder starting = trainSpec().getSpec().toBuilder();
      assertRefused(
          train(trainRequest(starting.setInitialProjectorBytes(bytes))),
          Status.Code.RESOURCE_EXHAUSTED,
          "FILE_TOO_LARGE");
      assertRefused(
          train(trainRequest(starting.setInitialProjectorBytes(0).setCheckpointBytes(bytes))),
          Status.Code.RESOURCE_EXHAUSTED,
          "FILE_TOO_LARGE");
    }
  }

  @Test
  void aProjectorForFeaturesWithoutPooling() throws Exception {
    ByteString file = trainedProjector();
    ExtractSpec.Builder spec = specWithProjector(file.size()).getSpec().toBuilder();
    spec.getFeaturesBuilder().setPooling(Pooling.POOLING_NONE);
    assertRefused(
        extract(ExtractRequest.newBuilder().setSpec(spec).build(), chunk(file)), "INVALID_SPEC");
  }

  @Test
  void aProjectorForFeaturesOfAnotherSize() throws Exception {
    ByteString file = trainedProjector();
    ExtractSpec spec = specWithProjector(file.size()).getSpec().toBuilder().clearFeatures().build();
    assertRefused(
        extract(
            ExtractRequest.newBuilder().setSpec(spec).build(),
            chunk(file),
            items(Items.features(0, 1, 2, 3))),
        "FEATURE_SIZE");
  }

  @Test
  void itemsAfterTheEndOfData() throws Exception {
    TrainRequest end =
        TrainRequest.newBuilder().setEndOfData(EndOfData.getDefaultInstance()).build();
    TrainRequest endless =
        trainRequest(
            trainSpec().getSpec().toBuilder()
                .setArguments(TrainingArguments.newBuilder().setMaxSteps(10_000_000)));
    assertRefused(
        train(endless, trainItems(labelled(0)), end, trainItems(labelled(1))), "PROTOCOL");
  }

  @Test
  void filesAfterTheItems() throws Exception {
    assertRefused(
        train(
            trainSpec(),
            trainItems(labelled(0)),
            TrainRequest.newBuilder().setCheckpointFile(fileChunk(0, 10, 10)).build()),
        "PROTOCOL");
  }

  @Test
  void unknownEnumValues() throws Exception {
    for (FeatureSpec.Builder features :
        List.of(
            TinyModel.features().setPoolingValue(99),
            TinyModel.features().setComputeDtypeValue(-1),
            TinyModel.features().setOutputDtypeValue(99),
            TinyModel.features().setOverlengthValue(99))) {
      assertRefused(extract(spec(features)), "INVALID_SPEC");
    }
    for (Projector.Builder projector :
        List.of(
            Projector.newBuilder().setKindValue(99),
            Projector.newBuilder().setActivationValue(99))) {
      TrainSpec.Builder spec = trainSpec().getSpec().toBuilder().setProjector(projector);
      assertRefused(train(trainRequest(spec)), "INVALID_SPEC");
    }
    for (TrainingArguments.Builder arguments :
        List.of(
            TrainingArguments.newBuilder().setOptimValue(99),
            TrainingArguments.newBuilder().setLrSchedulerTypeValue(99),
            TrainingArguments.newBuilder().setEvalStrategyValue(99),
            TrainingArguments.newBuilder().setSaveStrategyValue(99),
            TrainingArguments.newBuilder().setLoggingStrategyValue(99),
            TrainingArguments.newBuilder().setTrainSamplingStrategyValue(99))) {
      TrainSpec.Builder spec = trainSpec().getSpec().toBuilder().setArguments(arguments);
      assertRefused(train(trainRequest(spec)), "INVALID_SPEC");
    }
    ByteString file = trainedProjector();
    ExtractSpec.Builder spec = specWithProjector(file.size()).getSpec().toBuilder();
    spec.getProjectorBuilder().setProbabilitiesValue(99);
    assertRefused(
        extract(ExtractRequest.newBuilder().setSpec(spec).build(), chunk(file)), "INVALID_SPEC");
  }

  @Test
  void noObjective() throws Exception {
    assertRefused(
        train(trainRequest(trainSpec().getSpec().toBuilder().clearObjective())), "INVALID_SPEC");
    assertRefused(
        train(
            trainRequest(
                trainSpec().getSpec().toBuilder().setObjective(Objective.getDefaultInstance()))),
        "INVALID_SPEC");
  }

  @Test
  void bytesThatAreNoMessage() throws Exception {
    for (byte[] bytes : List.of(new byte[] {-1, -1, -1}, new byte[] {10, 100, 1})) {
      RawCall<byte[], byte[]> call =
          RawCall.open(worker.channel(), untyped(ExtractServiceGrpc.getExtractMethod()));
      assertRefused(call.send(bytes), "PROTOCOL");
    }
  }

  @Test
  void textThatIsNotUtf8() throws Exception {
    byte[] text = {'a', (byte) 0xC3, '(', (byte) 0xED, (byte) 0xA0, (byte) 0x80};
    // ExtractRequest.items > ItemBatch.items > Item.content > Content.text
    byte[] request = field(3, field(1, field(2, field(1, text))));
    RawCall<byte[], byte[]> call =
        RawCall.open(worker.channel(), untyped(ExtractServiceGrpc.getExtractMethod()));
    assertRefused(call.send(spec().toByteArray()).send(request), "PROTOCOL");
  }

  @Test
  void aMessageOverTheLimit() throws Exception {
    int limit = client.describe().getLimits().getMaxMessageBytes();
    assertRefused(
        extract(spec(), chunk(0, 2L * limit, limit)),
        Status.Code.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE");
    assertThat(extract(spec(), chunk(0, 20L * limit, 10 * limit)).outcome().status().getCode())
        .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.CANCELLED);
  }

  @Test
  void numbersThatRepeat() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> extract =
        extract(spec(), items(Items.tokenIds(5, 1, 2), Items.tokenIds(5, 1, 2))).halfClose();
    assertThat(extract.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    assertThat(results(extract)).extracting(ItemResult::getNumber).containsExactly(5L, 5L);
    assertRefused(train(trainSpec(), trainItems(labelled(5), labelled(5))), "INVALID_FIELD");
  }

  @Test
  void numbersBeyondTheSignedRange() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> call =
        extract(spec(), items(Items.tokenIds(-1, 1), Items.tokenIds(Long.MIN_VALUE, 1)))
            .halfClose();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    assertThat(results(call))
        .extracting(ItemResult::getNumber)
        .containsExactlyInAnyOrder(-1L, Long.MIN_VALUE);
  }

  @Test
  void tenThousandItemsOfOneToken() throws Exception {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      items.add(Items.tokenIds(i, i % TinyModel.VOCABULARY));
    }
    RawCall<ExtractRequest, ExtractResponse> call =
        extract(spec(), items(items.toArray(Item[]::new))).halfClose();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    assertThat(results(call)).extracting(ItemResult::getNumber).doesNotHaveDuplicates();
    assertThat(results(call)).hasSize(10_000);
  }

  @Test
  void aReadyFeatureAmongTokensWithoutPooling() throws Exception {
    float[] feature = new float[48];
    Arrays.fill(feature, 0.5f);
    RawCall<ExtractRequest, ExtractResponse> call =
        extract(
                spec(TinyModel.features(Pooling.POOLING_NONE)),
                items(Items.features(0, feature), Items.tokenIds(1, 1, 2, 3)))
            .halfClose();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    for (ItemResult result : results(call)) {
      assertThat(result.getFeatures().getShapeList())
          .isEqualTo(result.getNumber() == 0 ? List.of(48L) : List.of(3L, 48L));
    }
  }

  @Test
  void aSegmentThatTheBackboneDoesNotHave() throws Exception {
    FeatureSpec.Builder bert =
        TinyModel.features().setBackbone(Backbone.newBuilder().setPath("bert"));
    for (int segment : new int[] {2, 99, -1}) {
      Item item =
          Items.of(
              0,
              dev.graft.v1.Content.newBuilder()
                  .setTokenIds(TokenIds.newBuilder().addIds(1).addTokenTypeIds(segment))
                  .build());
      assertRefused(extract(spec(bert), items(item)).halfClose(), "TOKEN_OUT_OF_RANGE");
    }
  }

  @Test
  void aPathThatIsNone() throws Exception {
    FeatureSpec.Builder features = TinyModel.features();
    assertRefused(
        extract(spec(features.setBackbone(Backbone.newBuilder().setPath("a\0b")))),
        "INVALID_BACKBONE_PATH");
    assertRefused(extract(spec(features.setBackbone(Backbone.newBuilder()))), "INVALID_SPEC");
  }

  @Test
  void anErrorAboutSomethingLongIsShort() throws Exception {
    for (String path : List.of("x".repeat(200_000), "\u6839".repeat(100_000))) {
      RawCall.Outcome outcome =
          extract(spec(TinyModel.features().setBackbone(Backbone.newBuilder().setPath(path))))
              .outcome();
      assertThat(outcome.status().getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(outcome.reason()).isEqualTo("BACKBONE_NOT_FOUND");
      assertThat(outcome.status().getDescription()).hasSizeLessThan(2000);
    }
  }

  @Test
  void checkpointsCanBeAskedForBeforeTheFilesAreComplete() throws Exception {
    ByteString file = trainedProjector();
    RawCall<TrainRequest, TrainResponse> call =
        train(
            trainRequest(trainSpec().getSpec().toBuilder().setInitialProjectorBytes(file.size())),
            CHECKPOINT_REQUEST,
            TrainRequest.newBuilder()
                .setInitialProjectorFile(
                    FileChunk.newBuilder().setTotalBytes(file.size()).setData(file))
                .build(),
            trainItems(labelled(0)),
            TrainRequest.newBuilder().setEndOfData(EndOfData.getDefaultInstance()).build());
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    assertThat(call.responses())
        .anyMatch(response -> response.hasCheckpoint() && response.getCheckpoint().getStep() == 1);
    assertRefused(train(CHECKPOINT_REQUEST), "PROTOCOL");
  }

  /** Both the training and the requests wait for room then; neither may make the other forget. */
  @Test
  void checkpointRequestsOfAClientThatDoesNotRead() throws Exception {
    int steps = 3000;
    RawCall<TrainRequest, TrainResponse> call =
        train(
            trainRequest(
                trainSpec().getSpec().toBuilder()
                    .setArguments(
                        TrainingArguments.newBuilder().setMaxSteps(steps).setLoggingSteps(1))),
            trainItems(labelled(0), labelled(1)),
            TrainRequest.newBuilder().setEndOfData(EndOfData.getDefaultInstance()).build());
    while (!call.next().hasLog()) {}
    for (int i = 0; i < 20; i++) {
      call.send(CHECKPOINT_REQUEST);
    }
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    assertThat(call.responses().stream().filter(TrainResponse::hasLog)).hasSize(steps - 1);
    assertThat(call.responses()).anyMatch(TrainResponse::hasCheckpoint);
    assertThat(call.responses()).anyMatch(TrainResponse::hasResult);
  }

  @Test
  void moreCallsThanAllowed() throws Exception {
    try (WorkerUnderTest small = start(options().maxConcurrentCalls(1))) {
      RawCall<ExtractRequest, ExtractResponse> first = extract(small, spec());
      assertThat(first.next().hasReady()).isTrue();
      assertRefused(extract(small, spec()), Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS");
      assertThat(first.halfClose().outcome().status().getCode()).isEqualTo(Status.Code.OK);
    }
  }

  @Test
  void aCallThatSendsNothing() throws Exception {
    try (WorkerUnderTest hasty = start(options().specTimeout(Duration.ofMillis(20)))) {
      assertRefused(extract(hasty), Status.Code.DEADLINE_EXCEEDED, "SPEC_TIMEOUT");
      assertRefused(train(hasty), Status.Code.DEADLINE_EXCEEDED, "SPEC_TIMEOUT");
    }
  }

  @Test
  void trainingsShareTheMemoryOfFeatures() throws Exception {
    TrainRequest spec =
        trainRequest(
            trainSpec().getSpec().toBuilder()
                .clearFeatures()
                .setArguments(TrainingArguments.newBuilder().setMaxSteps(Integer.MAX_VALUE)));
    TrainRequest items =
        trainItems(
            Items.withClass(Items.features(0, 1, 2), 0),
            Items.withClass(Items.features(1, 3, 4), 1));
    TrainRequest end =
        TrainRequest.newBuilder().setEndOfData(EndOfData.getDefaultInstance()).build();
    try (WorkerUnderTest small = start(options().maxTrainFeatureBytes(400))) {
      RawCall<TrainRequest, TrainResponse> first = train(small, spec, items, end);
      while (!first.next().hasStarted()) {}
      assertRefused(
          train(small, spec, items, end), Status.Code.RESOURCE_EXHAUSTED, "FEATURE_MEMORY_FULL");
      first.cancel();
    }
  }

  @Test
  void aDrainingWorkerEndsAnExtractionThatGoesOn() throws Exception {
    try (WorkerUnderTest leaving = start(options().drainGrace(Duration.ofMillis(1)))) {
      RawCall<ExtractRequest, ExtractResponse> call = extract(leaving, spec());
      assertThat(call.next().hasReady()).isTrue();
      leaving.drain();
      assertRefused(call, Status.Code.UNAVAILABLE, "WORKER_DRAINING");
    }
  }

  @Test
  void aDrainingWorkerEndsAnUploadThatGoesOn() throws Exception {
    try (WorkerUnderTest leaving = start(options().drainGrace(Duration.ofMillis(1)));
        GraftClient itsClient = leaving.client()) {
      RawCall<ExtractRequest, ExtractResponse> call =
          extract(leaving, specWithProjector(10), chunk(0, 10, 9));
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (itsClient.describe().getActiveCalls() == 0) {
        assertThat(System.nanoTime()).as("the call begins").isLessThan(end);
      }
      leaving.drain();
      assertRefused(call, Status.Code.UNAVAILABLE, "WORKER_DRAINING");
    }
  }

  @Test
  void aDrainingWorkerWaitsForAClientThatReadsSlowly() throws Exception {
    List<Item> items = TinyModel.labelled(3000, 1);
    try (WorkerUnderTest leaving = start(options().drainGrace(Duration.ofSeconds(60)));
        GraftClient itsClient = leaving.client()) {
      RawCall<ExtractRequest, ExtractResponse> call =
          extract(
              leaving,
              spec(TinyModel.features(Pooling.POOLING_NONE)),
              items(items.toArray(Item[]::new)));
      call.halfClose();
      assertThat(call.next().hasReady()).isTrue();
      CompletableFuture<Void> drain =
          CompletableFuture.runAsync(
              () -> {
                try {
                  leaving.drain();
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
      while (!itsClient.describe().getDraining()) {
        assertThat(drain).isNotDone();
      }
      assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
      assertThat(results(call)).extracting(ItemResult::getNumber).hasSize(3000);
      drain.get(60, TimeUnit.SECONDS);
    }
  }

  static ExtractRequest spec() {
    return spec(TinyModel.features());
  }

  private static ExtractRequest spec(FeatureSpec.Builder features) {
    return ExtractRequest.newBuilder()
        .setSpec(ExtractSpec.newBuilder().setFeatures(features))
        .build();
  }

  private static ExtractRequest specWithProjector(long fileBytes) {
    return ExtractRequest.newBuilder()
        .setSpec(
            ExtractSpec.newBuilder()
                .setFeatures(TinyModel.features())
                .setProjector(TrainedProjector.newBuilder().setFileBytes(fileBytes)))
        .build();
  }

  private static FileChunk fileChunk(long offset, long totalBytes, int length) {
    return FileChunk.newBuilder()
        .setOffset(offset)
        .setTotalBytes(totalBytes)
        .setData(ByteString.copyFrom(new byte[length]))
        .build();
  }

  private static ExtractRequest chunk(long offset, long totalBytes, int length) {
    return ExtractRequest.newBuilder()
        .setProjectorFile(fileChunk(offset, totalBytes, length))
        .build();
  }

  private static ExtractRequest chunk(ByteString file) {
    return ExtractRequest.newBuilder()
        .setProjectorFile(FileChunk.newBuilder().setTotalBytes(file.size()).setData(file))
        .build();
  }

  private static ExtractRequest items(Item... items) {
    return ExtractRequest.newBuilder()
        .setItems(ItemBatch.newBuilder().addAllItems(List.of(items)))
        .build();
  }

  private static TrainRequest trainItems(Item... items) {
    return TrainRequest.newBuilder()
        .setTrainItems(ItemBatch.newBuilder().addAllItems(List.of(items)))
        .build();
  }

  private static TrainRequest trainSpec() {
    return trainRequest(
        TrainSpec.newBuilder()
            .setProjector(Projector.getDefaultInstance())
            .setFeatures(TinyModel.features())
            .setObjective(
                Objective.newBuilder().setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(2)))
            .setArguments(TrainingArguments.newBuilder().setMaxSteps(2)));
  }

  private static TrainRequest trainRequest(TrainSpec.Builder spec) {
    return TrainRequest.newBuilder().setSpec(spec).build();
  }

  private static Item labelled(long number) {
    return Items.withClass(Items.tokenIds(number, 1, 2, (int) number + 3), (int) (number % 2));
  }

  /** The file of a linear projector from the tiny model's features to two classes. */
  private ByteString trainedProjector() throws InterruptedException {
    RawCall<TrainRequest, TrainResponse> call =
        train(trainSpec(), trainItems(labelled(0), labelled(1))).halfClose();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.OK);
    return call.responses().stream()
        .filter(TrainResponse::hasProjectorFile)
        .map(response -> response.getProjectorFile().getData())
        .reduce(ByteString.EMPTY, ByteString::concat);
  }

  private RawCall<ExtractRequest, ExtractResponse> extract(ExtractRequest... requests) {
    return extract(worker, requests);
  }

  static RawCall<ExtractRequest, ExtractResponse> extract(
      WorkerUnderTest worker, ExtractRequest... requests) {
    RawCall<ExtractRequest, ExtractResponse> call =
        RawCall.open(worker.channel(), ExtractServiceGrpc.getExtractMethod());
    Stream.of(requests).forEach(call::send);
    return call;
  }

  private RawCall<TrainRequest, TrainResponse> train(TrainRequest... requests) {
    return train(worker, requests);
  }

  private static RawCall<TrainRequest, TrainResponse> train(
      WorkerUnderTest worker, TrainRequest... requests) {
    RawCall<TrainRequest, TrainResponse> call =
        RawCall.open(worker.channel(), TrainServiceGrpc.getTrainMethod());
    Stream.of(requests).forEach(call::send);
    return call;
  }

  private static List<ItemResult> results(RawCall<ExtractRequest, ExtractResponse> call) {
    return call.responses().stream()
        .flatMap(response -> response.getResults().getResultsList().stream())
        .toList();
  }

  private static void assertRefused(RawCall<?, ?> call, String reason) throws InterruptedException {
    assertRefused(call, Status.Code.INVALID_ARGUMENT, reason);
  }

  static void assertRefused(RawCall<?, ?> call, Status.Code code, String reason)
      throws InterruptedException {
    RawCall.Outcome outcome = call.outcome();
    assertThat(outcome.status().getCode()).as("%s", outcome).isEqualTo(code);
    assertThat(outcome.reason()).as("%s", outcome).isEqualTo(reason);
    assertThat(outcome.status().getDescription()).isNotBlank();
  }

  /** A length-delimited field, as it goes over the wire. */
  private static byte[] field(int number, byte[] value) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeByteArray(number, value);
    out.flush();
    return bytes.toByteArray();
  }

  private static <Q, R> MethodDescriptor<byte[], byte[]> untyped(MethodDescriptor<Q, R> method) {
    return method.toBuilder(new Bytes(), new Bytes()).build();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
