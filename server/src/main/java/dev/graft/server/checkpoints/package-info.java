/**
 * Files of weights: bytes to named tensors and back, with no mathematics and no network.
 *
 * <p>Every file is hostile until proved: lengths are checked before anything is allocated, sums are
 * checked for overflow, and whatever is wrong comes out as a {@link
 * dev.graft.server.GraftException} that names the file and the tensor. {@link
 * dev.graft.server.checkpoints.Checkpoint} is the way in for a backbone's directory (safetensors or
 * ONNX), {@link dev.graft.server.checkpoints.Safetensors} for one file or an upload, {@link
 * dev.graft.server.checkpoints.SafetensorsWriter} the way out, and {@link
 * dev.graft.server.checkpoints.ModelRoots} says which directories may be read at all.
 */
package dev.graft.server.checkpoints;
