package dev.graft.server.checkpoints;

import java.util.Optional;

/** How an architecture's tensors lie in GGUF, from Hugging Face's side. */
public final class GgufLayout {
  /** What frequencies are divided by, where Llama 3's scaling is used. */
  public static final String FREQUENCY_FACTORS = GgufNames.FREQUENCY_FACTORS;

  private final GgufNames names;

  private GgufLayout(GgufNames names) {
    this.names = names;
  }

  /** That of an architecture that is read. */
  public static GgufLayout of(String architecture) {
    return new GgufLayout(GgufNames.of(architecture).orElseThrow());
  }

  /** A tensor's name in GGUF; empty if it has none. */
  public Optional<String> name(String huggingFaceName) {
    return names.inGguf(huggingFaceName);
  }

  /**
   * The number of heads in whose rows the halves of rotary embeddings are interleaved; 0 for most
   * tensors.
   *
   * @param name in GGUF
   */
  public int interleavedHeads(String name, int heads, int keyValueHeads) {
    return names.interleaved(name, heads, keyValueHeads);
  }

  /**
   * Whether a tensor is always stored as F32. Reference: {@code prepare_tensors} of
   * convert_hf_to_gguf.py and {@code tensor_allows_quantization} of llama-quant.cpp.
   *
   * @param name in GGUF
   */
  public static boolean isAlwaysF32(String name, int dimensions) {
    return dimensions < 2
        || name.endsWith("_norm.weight")
        || name.equals("position_embd.weight")
        || name.equals("token_types.weight");
  }

  /**
   * Whether a tensor's rows are those that the output's products are made with, which llama.cpp
   * stores better than others.
   *
   * @param name in GGUF
   * @param tiedEmbeddings whether there is no tensor for the output alone
   */
  public static boolean isOutput(String name, boolean tiedEmbeddings) {
    return name.equals(tiedEmbeddings ? "token_embd.weight" : "output.weight");
  }
}
