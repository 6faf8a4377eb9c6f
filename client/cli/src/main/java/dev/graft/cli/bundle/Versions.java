package dev.graft.cli.bundle;

/**
 * Who made a bundle.
 *
 * @param graft version of the command
 * @param worker version of the worker
 */
public record Versions(String graft, String worker) {}
