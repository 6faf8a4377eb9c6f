package dev.graft.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.graft.cli.items.BadItemException;
import dev.graft.client.GraftRpcException;
import dev.graft.server.GraftException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code graft}. */
@Command(
    name = "graft",
    mixinStandardHelpOptions = true,
    versionProvider = GraftCommand.Version.class,
    description = "Trains small full-precision projectors on large frozen transformer backbones.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      ServeCommand.class,
      ExtractCommand.class,
      TrainCommand.class,
      PredictCommand.class,
      QuantizeCommand.class,
      DescribeCommand.class,
      BenchCommand.class,
      CompletionCommand.class
    },
    footer = {
      "",
      "In option names - and _ are the same: --learning_rate is --learning-rate.",
      "Without --workers a command starts a worker of its own and stops it at the end."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed; the message says why", "2:wrong usage", "130:interrupted"})
final class GraftCommand implements Runnable {
  @Spec private CommandSpec spec;

  private final Surroundings surroundings;

  private GraftCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  /** The whole command line. */
  static CommandLine commandLine(Surroundings surroundings) {
    CommandLine command = new CommandLine(new GraftCommand(surroundings));
    CommandLine train = command.getSubcommands().get("train");
    TrainCommand trainCommand = train.getCommand();
    TrainingArgumentOptions.addTo(train.getCommandSpec(), trainCommand.arguments());
    command.setOut(new PrintWriter(surroundings.out(), true, UTF_8));
    command.setErr(new PrintWriter(surroundings.err(), true, UTF_8));
    command.setUsageHelpAutoWidth(true);
    command.setParameterExceptionHandler((wrong, args) -> explain(wrong));
    command.setExecutionExceptionHandler(
        (exception, line, parsed) -> complain(surroundings, exception));
    return command;
  }

  /** Runs a command. Returns the exit code. */
  static int run(Surroundings surroundings, String... args) {
    return commandLine(surroundings).execute(OptionNames.normalize(args));
  }

  /** What is wrong, without the pages of the whole usage. */
  private static int explain(ParameterException wrong) {
    CommandLine command = wrong.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("graft: " + wrong.getMessage());
    UnmatchedArgumentException.printSuggestions(wrong, err);
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return CommandLine.ExitCode.USAGE;
  }

  private static int complain(Surroundings surroundings, Exception exception) {
    if (surroundings.interruption().isInterrupted()) {
      surroundings.err().println("graft: interrupted");
      return Main.INTERRUPTED;
    }
    String message = exception.getMessage();
    boolean expected =
        exception instanceof CommandFailure
            || exception instanceof BadItemException
            || exception instanceof GraftRpcException
            || exception instanceof GraftException
            || exception instanceof IOException
            || exception instanceof UncheckedIOException;
    if (expected && message != null) {
      surroundings.err().println("graft: " + describe(exception));
    } else {
      surroundings.err().println("graft: a defect in graft; please report it with what follows");
      exception.printStackTrace(surroundings.err());
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** The file system's exceptions say little more than the path. */
  private static String describe(Exception exception) {
    Throwable cause = exception instanceof UncheckedIOException ? exception.getCause() : exception;
    if (cause instanceof NoSuchFileException missing && missing.getReason() == null) {
      return missing.getFile() + ": no such file or directory";
    }
    if (cause instanceof AccessDeniedException denied && denied.getReason() == null) {
      return denied.getFile() + ": permission denied";
    }
    if (cause instanceof FileSystemException other && other.getReason() == null) {
      return other.getFile() + ": " + other.getClass().getSimpleName();
    }
    return cause.getMessage();
  }

  Surroundings surroundings() {
    return surroundings;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /** The build's version. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"graft " + GraftVersion.current()};
    }
  }
}
