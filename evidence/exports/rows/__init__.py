"""What every format is written from: the rows, their scope and what is said of them."""
