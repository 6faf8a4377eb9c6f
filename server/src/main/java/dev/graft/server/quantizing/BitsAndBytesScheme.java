package dev.graft.server.quantizing;

/** How bitsandbytes quantizes weights. */
public sealed interface BitsAndBytesScheme {
  /**
   * In 4 bits.
   *
   * @param blockSize number of consecutive values with one scale: a power of two from 32 to 4096.
   *     bitsandbytes quantizes with 64 unless it is told otherwise, and reads all
   * @param doubleQuantization whether the scales are quantized too, in blocks of 256
   */
  record FourBit(FourBitType type, int blockSize, boolean doubleQuantization)
      implements BitsAndBytesScheme {
    private static final int MIN_BLOCK_SIZE = 32;
    private static final int MAX_BLOCK_SIZE = 4096;

    /** Refuses other block sizes. */
    public FourBit {
      if (blockSize < MIN_BLOCK_SIZE
          || blockSize > MAX_BLOCK_SIZE
          || Integer.bitCount(blockSize) != 1) {
        throw new IllegalArgumentException(
            "a block of %d values is no power of two from %d to %d"
                .formatted(blockSize, MIN_BLOCK_SIZE, MAX_BLOCK_SIZE));
      }
    }
  }

  /** In 8 bits, with a scale for each row. */
  record Int8() implements BitsAndBytesScheme {}
}
