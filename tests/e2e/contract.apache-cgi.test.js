import { contract } from './contract.js';

contract('apache-cgi');
