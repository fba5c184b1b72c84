"""What is known in advance, taken out of what is read and put back into what is answered."""
