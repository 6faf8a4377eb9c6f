package dev.graft.server.quantizing;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Numbers as Python writes them, in its own text and in JSON: the shortest that reads back the
 * same. Java before 19 sometimes writes a longer one.
 */
final class PythonFloat {
  /** Digits that always suffice. */
  private static final int MAX_DIGITS = 17;

  /** Python writes 1e+16 but 1000000000000000.0, and 1e-05 but 0.0001. */
  private static final int MAX_PLAIN_EXPONENT = 15;

  private static final int MIN_PLAIN_EXPONENT = -4;

  private PythonFloat() {}

  static String text(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    String sign = Math.copySign(1, value) < 0 ? "-" : "";
    if (Double.isInfinite(value)) {
      return sign + "Infinity";
    }
    return sign + (value == 0 ? "0.0" : magnitude(shortest(Math.abs(value))));
  }

  private static String magnitude(BigDecimal decimal) {
    String digits = decimal.unscaledValue().toString();
    int exponent = digits.length() - 1 - decimal.scale();
    if (exponent < MIN_PLAIN_EXPONENT || exponent > MAX_PLAIN_EXPONENT) {
      return "%s%se%s%02d"
          .formatted(
              digits.charAt(0),
              digits.length() > 1 ? "." + digits.substring(1) : "",
              exponent < 0 ? "-" : "+",
              Math.abs(exponent));
    }
    String plain = decimal.toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }

  private static BigDecimal shortest(double value) {
    BigDecimal exact = new BigDecimal(value);
    for (int digits = 1; digits < MAX_DIGITS; digits++) {
      // At a power of two more numbers above than below read back the same.
      for (RoundingMode rounding : new RoundingMode[] {RoundingMode.HALF_EVEN, RoundingMode.UP}) {
        BigDecimal rounded = exact.round(new MathContext(digits, rounding));
        if (rounded.doubleValue() == value) {
          return rounded.stripTrailingZeros();
        }
      }
    }
    return exact.round(new MathContext(MAX_DIGITS, RoundingMode.HALF_EVEN)).stripTrailingZeros();
  }
}
