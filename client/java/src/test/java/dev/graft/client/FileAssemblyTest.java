package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.v1.FileChunk;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FileAssemblyTest {
  private static final ByteString FILE = ByteString.copyFromUtf8("0123456789");

  private final FileAssembly assembly = new FileAssembly("the file", 100);

  @Test
  void chunksComeTogether() throws ContractBreach {
    List<FileChunk> chunks = FileChunks.cut(FILE, 4).toList();
    assertThat(chunks).extracting(chunk -> chunk.getData().size()).containsExactly(4, 4, 2);
    assertThat(assembly.add(chunks.get(0))).isEmpty();
    assertThat(assembly.add(chunks.get(1))).isEmpty();
    assertThat(assembly.add(chunks.get(2))).contains(FILE);
  }

  @Test
  void anEmptyFileIsOneEmptyChunk() throws ContractBreach {
    assertThat(assembly.add(chunk(0, 0, ""))).isEqualTo(Optional.of(ByteString.EMPTY));
    assertThat(FileChunks.cut(ByteString.EMPTY, 4)).isEmpty();
  }

  @Test
  void gapsAndRepetitionsAreRefused() throws ContractBreach {
    assembly.add(chunk(0, 10, "0123"));
    assertRefused(chunk(5, 10, "5"), "continued at byte 5 after byte 4");
    assertRefused(chunk(3, 10, "3"), "continued at byte 3 after byte 4");
    assertRefused(chunk(-1, 10, "3"), "continued at byte 18446744073709551615");
  }

  @Test
  void aChangingSizeIsRefused() throws ContractBreach {
    assembly.add(chunk(0, 10, "0123"));
    assertRefused(chunk(4, 11, "4"), "said to have 10 bytes, then 11");
  }

  @Test
  void moreThanAnnouncedIsRefused() {
    assertRefused(chunk(0, 3, "0123"), "longer than the 3 bytes");
  }

  @Test
  void standingStillIsRefused() {
    assertRefused(chunk(0, 3, ""), "empty chunk at byte 0");
  }

  @Test
  void tooLargeAFileIsRefusedBeforeItArrives() {
    assertRefused(chunk(0, 101, "0"), "takes at most 100");
  }

  private void assertRefused(FileChunk chunk, String message) {
    assertThatThrownBy(() -> assembly.add(chunk))
        .isInstanceOf(ContractBreach.class)
        .hasMessageContaining(message);
  }

  private static FileChunk chunk(long offset, long totalBytes, String data) {
    return FileChunk.newBuilder()
        .setOffset(offset)
        .setTotalBytes(totalBytes)
        .setData(ByteString.copyFromUtf8(data))
        .build();
  }
}
