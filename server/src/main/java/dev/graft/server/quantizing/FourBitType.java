package dev.graft.server.quantizing;

import java.util.Locale;

/** The types of 4 bits that bitsandbytes has. */
public enum FourBitType {
  /** Quantiles of the normal distribution (QLoRA, https://arxiv.org/abs/2305.14314). */
  NF4,

  /** Floating point: a sign, two bits of exponent, one of mantissa. */
  FP4;

  /** Its name in names of tensors and in configurations. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
