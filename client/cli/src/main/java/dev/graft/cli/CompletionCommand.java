package dev.graft.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code graft completion}. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Prints a completion script for bash and zsh: source <(graft completion)")
final class CompletionCommand implements Runnable {
  @ParentCommand private GraftCommand graft;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    graft.surroundings().out().print(AutoComplete.bash("graft", spec.root().commandLine()));
  }
}
