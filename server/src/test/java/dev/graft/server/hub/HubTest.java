package dev.graft.server.hub;

import static dev.graft.server.hub.FakeHub.COMMIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HubTest {
  private static final String OTHER_COMMIT = "f".repeat(40);
  private static final String REFERENCE = "hf://graft/tiny";
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final byte[] WEIGHTS = new byte[300_000];

  static {
    new Random(1).nextBytes(WEIGHTS);
  }

  @TempDir private Path cache;

  private final List<Duration> pauses = new ArrayList<>();
  private FakeHub remote;

  @BeforeEach
  void fill() throws IOException {
    remote =
        new FakeHub()
            .with("config.json", "{\"model_type\": \"llama\"}")
            .with("tokenizer.json", "{}")
            .with("README.md", "# Tiny")
            .with("pytorch_model.bin", new byte[] {1, 2, 3})
            .with("onnx/model.onnx", new byte[] {4})
            .with("model.safetensors", WEIGHTS);
  }

  @AfterEach
  void stop() {
    remote.close();
  }

  @Test
  void laysFilesOutAsHuggingfaceHubDoes() throws IOException {
    Path snapshot = fetch(REFERENCE);

    Path folder = cache.resolve("models--graft--tiny");
    String etag = FakeHub.sha256(WEIGHTS);
    assertThat(snapshot).isEqualTo(folder.resolve("snapshots").resolve(COMMIT));
    assertThat(names(snapshot))
        .containsExactly("config.json", "model.safetensors", "tokenizer.json");
    assertThat(Files.readSymbolicLink(snapshot.resolve("model.safetensors")))
        .isEqualTo(Path.of("../../blobs/" + etag));
    assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(snapshot.resolve("config.json")).hasContent("{\"model_type\": \"llama\"}");
    assertThat(names(folder.resolve("blobs")))
        .containsExactlyInAnyOrder(
            etag,
            FakeHub.gitSha1("{}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
            FakeHub.gitSha1(
                "{\"model_type\": \"llama\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    assertThat(folder.resolve("refs/main")).hasContent(COMMIT);
    assertThat(names(folder.resolve("trees"))).containsExactly(COMMIT + ".json");
  }

  @Test
  void asksForNoPickleAndNothingElseThatIsNotNeeded() {
    fetch(REFERENCE);
    assertThat(remote.asked())
        .containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json");
  }

  @Test
  void theTokenGoesToTheHubAlone() {
    fetch(REFERENCE);
    assertThat(remote.storageRequests()).hasSize(1).allMatch(request -> request.token().isEmpty());
    assertThat(remote.requests())
        .filteredOn(FakeHub.Request::toHub)
        .allMatch(request -> request.token().orElse("").equals("Bearer hf_secret"));
  }

  @Test
  void aSecondTimeOnlyTheCommitIsAskedFor() {
    Path snapshot = fetch(REFERENCE);
    int before = remote.requests().size();
    assertThat(fetch(REFERENCE)).isEqualTo(snapshot);
    assertThat(fetch(REFERENCE + "@" + COMMIT)).isEqualTo(snapshot);
    assertThat(remote.requests()).hasSize(before + 1);
  }

  @Test
  void anotherCommitFetchesOnlyWhatChanged() throws IOException {
    Path first = fetch(REFERENCE);
    remote.commit(OTHER_COMMIT).with("config.json", "{}");
    Path second = fetch(REFERENCE);
    assertThat(second).isNotEqualTo(first);
    assertThat(second.resolve("config.json")).hasContent("{}");
    assertThat(first.resolve("config.json")).hasContent("{\"model_type\": \"llama\"}");
    assertThat(remote.storageRequests()).hasSize(1);
    assertThat(cache.resolve("models--graft--tiny/refs/main")).hasContent(OTHER_COMMIT);
  }

  @Test
  void goesOnWhereAConnectionWasCut() {
    remote
        .fault("model.safetensors", FakeHub.cutAfter(100_000))
        .fault("model.safetensors", FakeHub.cutAfter(50_000));
    Path snapshot = fetch(REFERENCE);
    assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(ranges()).containsExactly("", "bytes=100000-", "bytes=150000-");
    assertThat(pauses).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(1));
  }

  @Test
  void beginsAnewWhereTheRangeIsIgnored() {
    remote
        .fault("model.safetensors", FakeHub.cutAfter(100_000))
        .fault("model.safetensors", FakeHub.wrong(WEIGHTS));
    assertThat(fetch(REFERENCE).resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
  }

  @Test
  void beginsAnewWhereTheRangeIsRefused() {
    remote
        .fault("model.safetensors", FakeHub.cutAfter(100_000))
        .fault("model.safetensors", FakeHub.status(416));
    assertThat(fetch(REFERENCE).resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(ranges()).containsExactly("", "bytes=100000-", "");
  }

  @Test
  void goesOnWhereAnotherProcessWasKilled() throws IOException {
    Path incomplete = incomplete();
    Files.createDirectories(incomplete.getParent());
    Files.write(incomplete, java.util.Arrays.copyOf(WEIGHTS, 200_000));
    assertThat(fetch(REFERENCE).resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(ranges()).containsExactly("bytes=200000-");
    assertThat(incomplete).doesNotExist();
  }

  @Test
  void whatAnotherProcessLeftIsNotTrusted() throws IOException {
    Path incomplete = incomplete();
    Files.createDirectories(incomplete.getParent());
    Files.write(incomplete, new byte[200_000]);
    assertThat(fetch(REFERENCE).resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(ranges()).containsExactly("bytes=200000-", "");
  }

  @Test
  void aWrongDigestLeavesNothing() {
    byte[] changed = WEIGHTS.clone();
    changed[5]++;
    remote.fault("model.safetensors", FakeHub.wrong(changed));
    assertFails(REFERENCE, Category.DATA_LOSS, "HUB_CORRUPT_DOWNLOAD", "model.safetensors");
    assertNothingLooksWhole();
  }

  @Test
  void aWrongLengthLeavesNothing() {
    remote.fault("model.safetensors", FakeHub.wrong(new byte[299_999]));
    assertFails(REFERENCE, Category.DATA_LOSS, "HUB_CORRUPT_DOWNLOAD", "299999");
    assertNothingLooksWhole();
  }

  @Test
  void moreThanWasListedIsNotStored() {
    remote.fault("model.safetensors", FakeHub.chunked(new byte[300_001]));
    assertFails(REFERENCE, Category.DATA_LOSS, "HUB_CORRUPT_DOWNLOAD", "more than the 300000");
    assertNothingLooksWhole();
  }

  @Test
  void aShortBodyOfUnknownLengthIsGoneOnWith() {
    remote.fault("model.safetensors", FakeHub.chunked(java.util.Arrays.copyOf(WEIGHTS, 123_456)));
    assertThat(fetch(REFERENCE).resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(ranges()).containsExactly("", "bytes=123456-");
  }

  @Test
  void waitsAsLongAsTheHubAsks() {
    remote
        .fault("revision", FakeHub.status(429, "Retry-After", "7"))
        .fault("config.json", FakeHub.status(503, "Retry-After", "Thu, 1 Jan 2026 00:00:20 GMT"));
    fetch(REFERENCE);
    assertThat(pauses).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(20));
  }

  @Test
  void waitsNotForEver() {
    remote.fault("revision", FakeHub.status(429, "Retry-After", "3600"));
    assertFails(REFERENCE, Category.UNAVAILABLE, "HUB_UNAVAILABLE", "3600 seconds");
    assertThat(pauses).isEmpty();
  }

  @Test
  void givesUpAfterSomeTries() {
    for (int i = 0; i < 6; i++) {
      remote.fault("revision", FakeHub.status(500));
    }
    assertFails(REFERENCE, Category.UNAVAILABLE, "HUB_UNAVAILABLE", "500");
    assertThat(pauses).extracting(Duration::toSeconds).containsExactly(1L, 2L, 4L, 8L, 16L);
  }

  @Test
  void aServerThatFallsSilentIsTriedAgain() throws Exception {
    CompletableFuture<Void> over = new CompletableFuture<>();
    remote.fault(
        "model.safetensors",
        (exchange, content) -> {
          FakeHub.cutAfter(1000).answer(exchange, content);
          over.join();
        });
    Hub hub = hub(remote.settings(cache), Duration.ofMillis(200));
    assertThat(
            hub.fetch(HubReference.parse(REFERENCE), progress -> {}).resolve("model.safetensors"))
        .hasBinaryContent(WEIGHTS);
    over.complete(null);
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403})
  void whatTheTokenDoesNotOpenIsTold(int status) {
    remote.fault("revision", FakeHub.status(status));
    assertFails(REFERENCE, Category.PERMISSION_DENIED, "HUB_UNAUTHORIZED", "token");
    assertThat(pauses).isEmpty();
  }

  @Test
  void whatIsNotThereIsTold() {
    assertFails("hf://graft/other", Category.NOT_FOUND, "HUB_NOT_FOUND", "no such repository");
    remote.fault("revision", FakeHub.status(404, "X-Error-Code", "RevisionNotFound"));
    assertFails(REFERENCE + "@v9", Category.NOT_FOUND, "HUB_NOT_FOUND", "no such revision");
    assertFails(REFERENCE + "/a.gguf", Category.NOT_FOUND, "HUB_NOT_FOUND", "file a.gguf");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../config.json",
        "/etc/model.safetensors",
        "a/../../b.json",
        "a\\..\\..\\b.json",
        "C:b.json",
        "a//b.json",
        ".",
        ""
      })
  void hostileNamesAreRefused(String name) {
    remote.with(name, "{}");
    assertFails(REFERENCE, Category.DATA_LOSS, "HUB_CORRUPT_DOWNLOAD", "leads elsewhere");
    assertThat(remote.asked()).isEmpty();
    assertNothingLooksWhole();
  }

  @Test
  void aRepositoryOfPicklesIsRefused() throws IOException {
    try (FakeHub pickles =
        new FakeHub().with("config.json", "{}").with("pytorch_model.bin", new byte[] {1})) {
      assertThatThrownBy(() -> fetch(pickles.settings(cache), REFERENCE))
          .isInstanceOfSatisfying(
              GraftException.class, e -> assertThat(e.reason()).isEqualTo("UNSUPPORTED_FORMAT"))
          .hasMessageContaining("pytorch_model.bin");
      assertThat(pickles.asked()).isEmpty();
    }
  }

  @Test
  void fetchesTheShardsThatTheIndexNames() throws IOException {
    try (FakeHub sharded =
        new FakeHub()
            .with("config.json", "{}")
            .with(
                "model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}}")
            .with("model-1.safetensors", WEIGHTS)
            .with("model-2.safetensors", new byte[10])
            .with("consolidated.safetensors", new byte[20])
            .with("pytorch_model.bin.index.json", "{}")
            .pageSize(2)) {
      Path snapshot = fetch(sharded.settings(cache), REFERENCE);
      assertThat(names(snapshot))
          .containsExactly(
              "config.json",
              "model-1.safetensors",
              "model-2.safetensors",
              "model.safetensors.index.json");
      assertThat(sharded.asked()).hasSize(4);
      assertThat(fetch(offline(sharded.settings(cache)), REFERENCE)).isEqualTo(snapshot);
      Files.delete(snapshot.resolve("model-2.safetensors"));
      assertThatThrownBy(() -> fetch(offline(sharded.settings(cache)), REFERENCE))
          .hasMessageContaining("HF_HUB_OFFLINE");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../evil.safetensors", "pytorch_model.bin", "missing.safetensors"})
  void anIndexNamesOnlyShards(String shard) throws IOException {
    try (FakeHub sharded =
        new FakeHub()
            .with("config.json", "{}")
            .with("pytorch_model.bin", "x")
            .with(
                "model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"%s\"}}".formatted(shard))) {
      assertThatThrownBy(() -> fetch(sharded.settings(cache), REFERENCE))
          .isInstanceOfSatisfying(
              GraftException.class, e -> assertThat(e.reason()).isEqualTo("CORRUPT_CHECKPOINT"));
      assertThat(sharded.asked()).containsExactly("model.safetensors.index.json");
    }
  }

  @Test
  void fetchesOneGgufFile() throws IOException {
    try (FakeHub ggufs =
        new FakeHub()
            .with("tiny-Q4_0.gguf", WEIGHTS)
            .with("big/tiny-Q8_0.gguf", new byte[10])
            .with("config.json", "{}")) {
      Path only = fetch(ggufs.settings(cache), REFERENCE);
      assertThat(only.getFileName()).hasToString("tiny-Q4_0.gguf");
      assertThat(only).hasBinaryContent(WEIGHTS);
      Path nested = fetch(ggufs.settings(cache), REFERENCE + "@main/big/tiny-Q8_0.gguf");
      assertThat(Files.readSymbolicLink(nested).toString()).startsWith("../../../blobs/");
      assertThat(Files.size(nested)).isEqualTo(10);
      ggufs.commit(OTHER_COMMIT).with("tiny-Q2_K.gguf", new byte[5]);
      assertThatThrownBy(() -> fetch(ggufs.settings(cache), REFERENCE))
          .hasMessageContaining("/tiny-Q2_K.gguf");
    }
  }

  @Test
  void anUnreachableHubIsNotNeededForWhatIsCached() {
    Path snapshot = fetch(REFERENCE);
    HubSettings settings = remote.settings(cache);
    remote.close();
    assertThat(fetch(settings, REFERENCE)).isEqualTo(snapshot);
    assertThat(pauses).isEmpty();
    assertThatThrownBy(() -> fetch(settings, "hf://graft/other"))
        .isInstanceOfSatisfying(
            GraftException.class, e -> assertThat(e.reason()).isEqualTo("HUB_UNAVAILABLE"));
  }

  @Test
  void offlineMakesNoRequest() {
    assertThatThrownBy(() -> fetch(offline(remote.settings(cache)), REFERENCE))
        .isInstanceOfSatisfying(
            GraftException.class, e -> assertThat(e.reason()).isEqualTo("HUB_OFFLINE"));
    assertThat(remote.requests()).isEmpty();
    Path snapshot = fetch(REFERENCE);
    int before = remote.requests().size();
    assertThat(fetch(offline(remote.settings(cache)), REFERENCE)).isEqualTo(snapshot);
    assertThat(remote.requests()).hasSize(before);
  }

  @Test
  void halfASnapshotIsNotTakenForAWholeOne() throws IOException {
    Path snapshot = fetch(REFERENCE);
    Files.delete(snapshot.resolve("model.safetensors").toRealPath());
    assertThatThrownBy(() -> fetch(offline(remote.settings(cache)), REFERENCE))
        .hasMessageContaining("as a whole");
    assertThat(fetch(REFERENCE).resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
  }

  @Test
  void threadsThatWantTheSameFetchItOnce() {
    remote.fault("model.safetensors", FakeHub.cutAfter(1000));
    List<CompletableFuture<Path>> fetches =
        Stream.generate(() -> CompletableFuture.supplyAsync(() -> fetch(REFERENCE)))
            .limit(4)
            .toList();
    assertThat(fetches)
        .allSatisfy(
            fetched ->
                assertThat(fetched.join().resolve("model.safetensors")).hasBinaryContent(WEIGHTS));
    assertThat(remote.storageRequests()).hasSize(2);
  }

  @Test
  void tellsHowFarItHasCome() {
    List<HubProgress> told = new ArrayList<>();
    hub(remote.settings(cache), Duration.ofSeconds(10))
        .fetch(HubReference.parse(REFERENCE), told::add);
    HubProgress last = told.get(told.size() - 1);
    assertThat(last.bytes()).isEqualTo(last.totalBytes());
    assertThat(told).extracting(HubProgress::bytes).isSorted();
  }

  @Test
  void aCacheThatCannotBeWrittenIsTold() throws IOException {
    Path file = Files.createFile(cache.resolve("file"));
    assertThatThrownBy(() -> fetch(remote.settings(file), REFERENCE))
        .isInstanceOfSatisfying(
            GraftException.class, e -> assertThat(e.reason()).isEqualTo("HUB_CACHE_UNWRITABLE"));
  }

  @Test
  void settingsComeFromTheVariablesOfHuggingfaceHub() throws IOException {
    Files.writeString(cache.resolve("token"), "hf_written\n");
    assertThat(HubSettings.of(Map.of("HOME", "/home/me")).cache())
        .isEqualTo(Path.of("/home/me/.cache/huggingface/hub"));
    assertThat(HubSettings.of(Map.of("HOME", "/home/me", "HF_HUB_CACHE", "~/c")).cache())
        .isEqualTo(Path.of("/home/me/c"));
    HubSettings settings =
        HubSettings.of(
            Map.of(
                "HF_HOME", cache.toString(), "HF_ENDPOINT", "http://h:1/", "HF_HUB_OFFLINE", "1"));
    assertThat(settings.cache()).isEqualTo(cache.resolve("hub"));
    assertThat(settings.token()).contains("hf_written");
    assertThat(settings.endpoint()).hasToString("http://h:1");
    assertThat(settings.offline()).isTrue();
    assertThat(settings.toString()).doesNotContain("hf_written");
    assertThat(HubSettings.of(Map.of("HF_HOME", cache.toString(), "HF_TOKEN", "a")).token())
        .contains("a");
    assertThatThrownBy(() -> HubSettings.of(Map.of("HF_TOKEN", "sec\nret")))
        .hasMessageNotContaining("sec");
    assertThatThrownBy(() -> HubSettings.of(Map.of("HF_ENDPOINT", "ftp://x")))
        .hasMessageContaining("HF_ENDPOINT");
  }

  private Path fetch(String reference) {
    return fetch(remote.settings(cache), reference);
  }

  private Path fetch(HubSettings settings, String reference) {
    return hub(settings, Duration.ofSeconds(30))
        .fetch(HubReference.parse(reference), progress -> {});
  }

  private Hub hub(HubSettings settings, Duration longestSilence) {
    return new Hub(settings, pauses::add, Clock.fixed(NOW, ZoneOffset.UTC), longestSilence);
  }

  private static HubSettings offline(HubSettings settings) {
    return new HubSettings(settings.endpoint(), settings.token(), settings.cache(), true);
  }

  private void assertFails(String reference, Category category, String reason, String text) {
    ThrowingCallable fetching = () -> fetch(reference);
    assertThatThrownBy(fetching)
        .isInstanceOfSatisfying(
            GraftException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(reason);
              assertThat(e.category()).isEqualTo(category);
            })
        .hasMessageContaining(text)
        .hasMessageNotContaining("hf_secret");
  }

  private void assertNothingLooksWhole() {
    Path folder = cache.resolve("models--graft--tiny");
    assertThat(folder.resolve("blobs").resolve(FakeHub.sha256(WEIGHTS))).doesNotExist();
    assertThat(incomplete()).doesNotExist();
    assertThat(folder.resolve("refs/main")).doesNotExist();
    assertThatThrownBy(() -> fetch(offline(remote.settings(cache)), REFERENCE))
        .hasMessageContaining("as a whole");
  }

  private Path incomplete() {
    return cache
        .resolve("models--graft--tiny/blobs")
        .resolve(FakeHub.sha256(WEIGHTS) + ".graft.incomplete");
  }

  private List<String> ranges() {
    return remote.storageRequests().stream().map(request -> request.range().orElse("")).toList();
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
