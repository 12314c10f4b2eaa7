namespace Core;
