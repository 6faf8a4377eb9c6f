package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.graft.server.GraftException;
import dev.graft.v1.FileChunk;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FileAssemblyTest {
  @Test
  void putsChunksOfAnySizeTogether() {
    byte[] file = new byte[100_000];
    Random random = new Random(0);
    random.nextBytes(file);
    FileAssembly assembly = new FileAssembly("projector_file", file.length, file.length);
    for (int offset = 0; offset < file.length; ) {
      assertThat(assembly.complete()).isFalse();
      int length = Math.min(random.nextInt(20_000), file.length - offset);
      assembly.add(chunk(offset, file.length, Arrays.copyOfRange(file, offset, offset + length)));
      offset += length;
    }
    assertThat(assembly.complete()).isTrue();
    assertThat(assembly.bytes()).isEqualTo(file).isSameAs(assembly.bytes());
  }

  @Test
  void announcingALargeFileTakesNoMemory() {
    FileAssembly assembly =
        new FileAssembly("projector_file", Integer.MAX_VALUE - 8, Integer.MAX_VALUE - 8);
    assembly.add(chunk(0, Integer.MAX_VALUE - 8, new byte[3]));
    assertThat(assembly.bytes()).hasSize(3);
  }

  @Test
  void numbersAreUnsigned() {
    FileAssembly assembly = new FileAssembly("projector_file", 10, 10);
    GraftException error =
        catchThrowableOfType(GraftException.class, () -> assembly.add(chunk(-1, 10, new byte[1])));
    assertThat(error.reason()).isEqualTo("PROTOCOL");
    assertThat(error).hasMessageContaining("18446744073709551615");
  }

  private static FileChunk chunk(long offset, long total, byte[] data) {
    return FileChunk.newBuilder()
        .setOffset(offset)
        .setTotalBytes(total)
        .setData(ByteString.copyFrom(data))
        .build();
  }
}
