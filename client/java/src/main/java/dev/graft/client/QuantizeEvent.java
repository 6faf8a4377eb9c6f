package dev.graft.client;

import dev.graft.v1.QuantizeResult;
import dev.graft.v1.QuantizedFile;
import dev.graft.v1.QuantizedTensor;

/** Something that happened in a Quantize call; {@link Completed} is the last. */
public sealed interface QuantizeEvent {
  /** A tensor is done. They come in the order of their numbers. */
  record TensorDone(QuantizedTensor tensor) implements QuantizeEvent {}

  /**
   * A part of a file of the result, only where the request names no destination. Parts come in
   * order and without gaps, one file after the other; an empty file has one part.
   */
  record FilePart(QuantizedFile part) implements QuantizeEvent {
    /** Whether the file is whole with this part. */
    public boolean isLast() {
      return part.getChunk().getOffset() + part.getChunk().getData().size()
          == part.getChunk().getTotalBytes();
    }
  }

  /** The end of a call that succeeded; all files are whole. */
  record Completed(QuantizeResult result) implements QuantizeEvent {}
}
