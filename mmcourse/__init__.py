"""mmcourse: the reusable code of the course "Multimodal Models from Scratch".

Importing this package, its command line or its data code does not import TensorFlow.
"""

__version__ = "0.1.0"
