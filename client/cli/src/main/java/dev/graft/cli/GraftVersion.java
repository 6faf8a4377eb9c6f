package dev.graft.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version that the build wrote. */
final class GraftVersion {
  private GraftVersion() {}

  static String current() {
    Properties version = new Properties();
    try (InputStream in = GraftVersion.class.getResourceAsStream("version.properties")) {
      version.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return version.getProperty("version");
  }
}
