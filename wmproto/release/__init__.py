"""What a release is: architecture and tensors with their digest h_f, and the owner's signed record of it."""
