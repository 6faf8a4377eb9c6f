package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class QuantizeCompareTest extends CommandFixture {
  private static final String QUANTIZE = "quantize --backbone model --scheme ";
  private static final String COMPARE = " --compare texts.jsonl";

  @BeforeEach
  void makeTexts() throws IOException {
    write("texts.jsonl", "{\"text\": \"abc\"}\n\n{\"text\": \"a\"}\n");
  }

  @Test
  void tellsHowFeaturesDiffer() {
    // No time passes: speeds are tokens in the least time that counts, a millisecond.
    clock = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
    // (3, 0) and (1, 1) become (3, 4) and (1, 5): cosines 3/5 and 6/sqrt(52).
    worker.features =
        (path, usual) -> path.endsWith("nf4") ? new float[] {usual[0], usual[1] + 4} : usual;

    assertThat(run(QUANTIZE + "nf4,int8 --blocksize 128 --double-quant --output made" + COMPARE))
        .isZero();

    assertThat(out())
        .contains(path("made/nf4") + ": 20.0 MB", path("made/int8") + ": 20.0 MB")
        .endsWith(
            """
            T: 2 items, 4 tokens, pooling unspecified, unspecified
                            size  of source  relative error  cosine mean  cosine worst    tokens/s  worst item
            source       20.0 MB    100.0 %                                                  4,000
            nf4          5.00 MB     25.0 %         0.06250     0.716025      0.600000       4,000  T:1
            int8         5.00 MB     25.0 %         0.06250     1.000000      1.000000       4,000  T:1
            """
                .replace("T", path("texts.jsonl")));
    QuantizeRequest nf4 = worker.quantize.requests.get(0);
    assertThat(nf4.getDestination()).isEqualTo(path("made/nf4"));
    assertThat(nf4.getBlockSize()).isEqualTo(128);
    assertThat(nf4.getDoubleQuantization()).isTrue();
    QuantizeRequest int8 = worker.quantize.requests.get(1);
    assertThat(int8.getScheme()).isEqualTo(QuantizationScheme.QUANTIZATION_SCHEME_INT8);
    assertThat(int8.getBlockSize()).isZero();
    assertThat(int8.getDoubleQuantization()).isFalse();
    assertThat(directory.resolve("made/nf4/config.json")).exists();
    assertThat(directory.resolve("made/int8/config.json")).exists();
  }

  @Test
  void withoutOutputNothingStays() throws IOException {
    assertThat(run(QUANTIZE + "nf4" + COMPARE)).isZero();

    Path made = Path.of(worker.quantize.requests.get(0).getDestination());
    assertThat(made.getParent()).doesNotExist();
    assertThat(worker.options.writableRoots()).containsExactly(made.getParent());
    assertThat(out()).startsWith("nf4: 20.0 MB").contains("1.000000");
    assertThat(files()).containsExactlyInAnyOrder("model", "texts.jsonl");
  }

  @Test
  void oneSchemeIsMadeWhereTheOutputIs() {
    assertThat(run(QUANTIZE + "fp4 --output made" + COMPARE)).isZero();

    assertThat(directory.resolve("made/config.json")).exists();
    assertThat(out()).contains("1.000000");
  }

  @Test
  void whatWasWholeBeforeAFailureStays() throws IOException {
    worker.quantize.fails =
        request -> request.getScheme() == QuantizationScheme.QUANTIZATION_SCHEME_INT8;

    assertThat(run(QUANTIZE + "nf4,int8 --output made")).isEqualTo(1);
    assertThat(run(QUANTIZE + "int8,nf4 --output none")).isEqualTo(1);

    assertThat(directory.resolve("made/nf4/config.json")).exists();
    assertThat(files()).containsExactlyInAnyOrder("made", "model", "texts.jsonl");
  }

  @Test
  void aFeatureWithoutDirectionIsNamed() {
    worker.features = (path, usual) -> usual[0] == 1 ? new float[2] : usual;

    assertThat(run(QUANTIZE + "nf4" + COMPARE)).isEqualTo(1);

    assertThat(err())
        .contains(
            path("texts.jsonl")
                + ":3: no cosine with nf4: a feature is all zeros, or holds what is no number");
  }

  @Test
  void wrongUsageStartsNoWorker() throws IOException {
    write("empty.txt", "");

    assertThat(run(QUANTIZE + "nf4,int8,nf4" + COMPARE)).isEqualTo(2);
    assertThat(run(QUANTIZE + "nf4 --worker there:1" + COMPARE)).isEqualTo(2);
    assertThat(run(QUANTIZE + "nf4 --compare empty.txt")).isEqualTo(1);
    assertThat(run(QUANTIZE + "nf4 --compare none.txt")).isEqualTo(1);

    assertThat(err())
        .contains(
            "--scheme names one scheme twice",
            "--compare reads the copies on the worker that made them; it cannot go with --workers",
            "empty.txt: has no items; there is nothing to compare on",
            "none.txt: no such file");
    assertThat(worker.options).isNull();
  }

  @Test
  void aTextThatTheWorkerRefusesIsNamedBeforeAnythingIsMade() throws IOException {
    write("texts.jsonl", "{\"text\": \"bad\"}\n");

    assertThat(run(QUANTIZE + "nf4" + COMPARE)).isEqualTo(1);

    assertThat(err()).contains("texts.jsonl:1: Item 0 is bad.");
    assertThat(worker.quantize.requests).isEmpty();
  }
}
