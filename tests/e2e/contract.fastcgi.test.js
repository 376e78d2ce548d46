import { contract } from './contract.js';

contract('fastcgi');
