package dev.graft.cli.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.cli.items.Classes;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.Evaluation;
import dev.graft.v1.LogEntry;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.Pooling;
import dev.graft.v1.Probabilities;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainingStarted;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

class RunDirectoryTest {
  private static final Classes CLASSES = new Classes(List.of("<a>", "b & c"), false);

  @TempDir Path bundle;

  @Test
  void theManifestComesBackAsItWent() throws IOException {
    Manifest written = train(5);

    Manifest read = Manifest.read(bundle);

    assertThat(read.spec()).isEqualTo(written.spec());
    assertThat(read.backboneDigest()).isEqualTo("abc");
    assertThat(read.classes().orElseThrow().names()).isEqualTo(CLASSES.names());
    assertThat(read.classes().orElseThrow().numbered()).isFalse();
    assertThat(read.probabilities()).isEqualTo(Probabilities.PROBABILITIES_SOFTMAX);
    assertThat(read.audit()).isEqualTo(written.audit());
    assertThat(read.evaluation()).isEqualTo(written.evaluation());
    assertThat(read.toJson()).hasToString(written.toJson().toString());
  }

  @Test
  void metricsHaveTheTrainersKeys() throws IOException {
    train(1);

    assertThat(Files.readAllLines(bundle.resolve("metrics.jsonl")))
        .containsExactly(
            "{\"step\": 1, \"epoch\": 0.5, \"loss\": 2, \"grad_norm\": 0.25, \"learning_rate\": 1.0E-4}",
            "{\"step\": 1, \"epoch\": 0.5, \"eval_accuracy\": 0.5, \"eval_loss\": 1.5}",
            "{\"step\": 1, \"epoch\": 2, \"train_runtime\": 4, \"train_samples_per_second\": 5,"
                + " \"train_steps_per_second\": 0.25, \"train_loss\": 1.25}");
  }

  @Test
  void theReportIsWellFormedAndNeedsNothingElse() throws Exception {
    train(60);

    String html = Files.readString(bundle.resolve(RunDirectory.REPORT_FILE));
    assertThat(html).doesNotContain("{{", "http:", "https:", "<script", "NaN");
    assertThat(html).contains("Eval accuracy", "learning_rate");
    Document svg = xml(html.substring(html.indexOf("<main>"), html.indexOf("</main>") + 7));
    assertThat(svg.getElementsByTagName("svg").getLength()).isEqualTo(4);
    assertThat(svg.getElementsByTagName("path").getLength()).isEqualTo(5);
    assertThat(svg.getElementsByTagName("tr").getLength()).isEqualTo(5 + 1 + 2 * 60);
  }

  @Test
  void aRunThatGoesOnKeepsWhatWasLoggedBefore() throws IOException {
    try (RunDirectory first = new RunDirectory(bundle, Clock.systemUTC())) {
      first.ready(ready(), false);
      first.started(started(0));
      first.log(log(1));
      first.checkpoint(1, ByteString.copyFromUtf8("one"));
      first.log(log(2));
    }
    try (RunDirectory second = new RunDirectory(bundle, Clock.systemUTC())) {
      second.ready(ready(), true);
      second.started(started(1));
      second.log(log(2));
      second.checkpoint(2, ByteString.copyFromUtf8("two"));
    }

    assertThat(Files.readAllLines(bundle.resolve("metrics.jsonl"))).hasSize(2);
    assertThat(Checkpoints.of(bundle).all()).hasSize(2);
    assertThat(Checkpoints.of(bundle).latest().orElseThrow().step()).isEqualTo(2);
  }

  @Test
  void checkpointsOfAnotherRunGoOnlyWhenThisOneHasSome() throws IOException {
    try (RunDirectory first = new RunDirectory(bundle, Clock.systemUTC())) {
      first.ready(ready(), false);
      first.checkpoint(7, ByteString.copyFromUtf8("seven"));
    }
    try (RunDirectory second = new RunDirectory(bundle, Clock.systemUTC())) {
      second.ready(ready(), false);
      second.started(started(0));
      assertThat(Checkpoints.of(bundle).latest().orElseThrow().step()).isEqualTo(7);
      second.checkpoint(1, ByteString.copyFromUtf8("one"));
    }

    assertThat(Checkpoints.of(bundle).latest().orElseThrow().step()).isEqualTo(1);
  }

  @Test
  void aDirectoryWithoutManifestIsNoBundle() {
    assertThatThrownBy(() -> Manifest.read(bundle)).hasMessageContaining("is not a bundle");
  }

  @Test
  void saysWhatIsWrongWithAManifest() throws IOException {
    Files.writeString(
        bundle.resolve("graft.json"), "{\"format\": \"graft-bundle\", \"format_version\": 9}");
    assertThatThrownBy(() -> Manifest.read(bundle))
        .hasMessageContaining("graft.json: its format_version is 9");
    Files.writeString(bundle.resolve("graft.json"), "{");
    assertThatThrownBy(() -> Manifest.read(bundle)).hasMessageContaining("is not valid JSON");
  }

  private Manifest train(int steps) throws IOException {
    try (RunDirectory run = new RunDirectory(bundle, Clock.systemUTC())) {
      run.ready(ready(), false);
      run.started(started(0));
      for (int step = 1; step <= steps; step++) {
        run.log(log(step));
        run.evaluated(
            Evaluation.newBuilder()
                .setStep(step)
                .setEpoch(0.5 * step)
                .putMetrics("eval_loss", 1.5 / step)
                .putMetrics("eval_accuracy", 1 - 0.5 / step)
                .build());
      }
      TrainResult result =
          TrainResult.newBuilder()
              .setStep(steps)
              .setEpoch(2)
              .setTrainLoss(1.25)
              .setTrainRuntimeSeconds(4)
              .setAudit(audit())
              .build();
      return run.complete(
          result,
          ByteString.copyFromUtf8("p"),
          Optional.of(CLASSES),
          new Versions("1", "2"),
          Optional.empty());
    }
  }

  private static TrainReady ready() {
    TrainReady.Builder ready = TrainReady.newBuilder().setAudit(audit());
    ready.getSpecBuilder().getFeaturesBuilder().setPooling(Pooling.POOLING_MEAN).setLayer(-1);
    ready.getSpecBuilder().getFeaturesBuilder().getBackboneBuilder().setPath("models/<tiny>");
    ready
        .getSpecBuilder()
        .getObjectiveBuilder()
        .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(2));
    ready.getSpecBuilder().getProjectorBuilder().setKind(ProjectorKind.PROJECTOR_KIND_LINEAR);
    ready.getSpecBuilder().getArgumentsBuilder().setLearningRate(1e-4);
    return ready.build();
  }

  private static ParameterAudit audit() {
    return ParameterAudit.newBuilder().setTrainableParameters(4).setFrozenDigest("abc").build();
  }

  private static TrainingStarted started(long firstStep) {
    return TrainingStarted.newBuilder().setTrainItems(10).setFirstStep(firstStep).build();
  }

  private static LogEntry log(long step) {
    return LogEntry.newBuilder()
        .setStep(step)
        .setEpoch(0.5 * step)
        .setLoss(2.0 / step)
        .setGradNorm(0.25)
        .setLearningRate(1e-4)
        .build();
  }

  private static Document xml(String text) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }
}
