"""What of the stack works on this machine, and how to mend what does not."""
