package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PythonFloatTest {
  /** Texts that Python's repr gives; for infinities and NaN, its json.dumps. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0",
        "-0.0",
        "1.0",
        "0.1",
        "0.0001",
        "1e-05",
        "1.5e-05",
        "1000000000000000.0",
        "1e+16",
        "1.2345e+300",
        "2e-323",
        "5e-324",
        "1.7976931348623157e+308",
        "2.2250738585072014e-308",
        "5.684341886080802e-14",
        "9007199254740992.0",
        "2.67309244975595e+30",
        "-0.2017163336277008",
        "NaN",
        "Infinity",
        "-Infinity"
      })
  void writesAsPythonDoes(String text) {
    assertThat(PythonFloat.text(Double.parseDouble(text))).isEqualTo(text);
  }
}
