package dev.graft.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * An address to listen on.
 *
 * @param host a name or an address; an IPv6 address without brackets
 */
record HostAndPort(String host, int port) {
  private static final int MAX_PORT = 65_535;

  static HostAndPort parse(String text) {
    int colon = text.lastIndexOf(':');
    String host = colon < 0 ? "" : text.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (bracketed) {
      host = host.substring(1, host.length() - 1);
    }
    String port = text.substring(colon + 1);
    if (host.isEmpty()
        || (host.contains(":") && !bracketed)
        || !port.matches("[0-9]{1,5}")
        || Integer.parseInt(port) > MAX_PORT) {
      throw new TypeConversionException("'" + text + "' is not HOST:PORT");
    }
    return new HostAndPort(host, Integer.parseInt(port));
  }

  HostAndPort withPort(int newPort) {
    return new HostAndPort(host, newPort);
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  /** For options. */
  static final class Converter implements ITypeConverter<HostAndPort> {
    @Override
    public HostAndPort convert(String text) {
      return parse(text);
    }
  }
}
