package dev.graft.server.extraction;

import dev.graft.server.backbones.Rows;

/** How the hidden states of an item's tokens become its feature. */
public enum Pooling {
  /** The last real token's. */
  LAST,
  /** The mean over the real tokens. */
  MEAN,
  /** The first real token's. */
  CLS,
  /** The element-wise maximum over the real tokens. */
  MAX,
  /** One row for each real token. */
  NONE;

  /** Which hidden states it needs. */
  Rows rows() {
    return switch (this) {
      case LAST -> Rows.LAST;
      case CLS -> Rows.FIRST;
      case MEAN, MAX, NONE -> Rows.ALL;
    };
  }
}
