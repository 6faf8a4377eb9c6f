package dev.graft.server.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes TorchScript archives: a zip of stored entries as {@code torch::jit::load} reads them
 * (PyTorch, torch/csrc/jit/serialization), holding one module of class {@code __torch__.Program}
 * without attributes.
 */
final class ScriptArchive {
  /** Pickle, protocol 2: {@code __torch__.Program} with the state {@code {"training": False}}. */
  private static final String DATA =
      "\u0080\u0002c__torch__\nProgram\nq\u0000)\u0081}(X\u0008\u0000\u0000\u0000trainingq\u0001\u0089ub.";

  /** Pickle, protocol 2: an empty tuple. */
  private static final String CONSTANTS = "\u0080\u0002).";

  private ScriptArchive() {}

  static byte[] of(String source) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      store(zip, "program/data.pkl", DATA.getBytes(StandardCharsets.ISO_8859_1));
      store(zip, "program/code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
      store(zip, "program/constants.pkl", CONSTANTS.getBytes(StandardCharsets.ISO_8859_1));
      store(zip, "program/version", "10\n".getBytes(StandardCharsets.UTF_8));
    }
    return out.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCompressedSize(bytes.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
