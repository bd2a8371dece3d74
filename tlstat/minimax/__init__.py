"""What is target data worth? (arXiv:2002.04747)"""
